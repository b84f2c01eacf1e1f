#include "boxes/box_iou.hpp"

#include <cmath>
#include <string>

#include "common/error.hpp"

namespace rapideval::boxes {

namespace {

void check_finite(std::span<const double> boxes) {
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        if (!std::isfinite(boxes[i])) {
            throw Error("box-finite", std::to_string(boxes[i]), "finite numbers")
                .at_row(static_cast<std::int64_t>(i / 4));
        }
    }
}

}  // namespace

std::vector<double> iou_matrix(std::span<const double> a, std::span<const double> b, Flags b_crowd) {
    check_finite(a);
    check_finite(b);
    if (b_crowd.size() != b.size() / 4) {
        throw Error("box-crowd", std::to_string(b_crowd.size()) + " crowd flags",
                    std::to_string(b.size() / 4) + ", one for each box");
    }
    std::vector<double> result(a.size() / 4 * b_crowd.size());
    double* out = result.data();
    for (std::size_t i = 0; i < a.size(); i += 4) {
        for (std::size_t j = 0; j < b_crowd.size(); ++j) *out++ = iou(&a[i], &b[4 * j], b_crowd[j] != 0);
    }
    return result;
}

}  // namespace rapideval::boxes
