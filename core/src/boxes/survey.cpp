#include "boxes/survey.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace rapideval::boxes {

namespace {

constexpr std::size_t kPiece = 1 << 16;

void look(Survey& found, const double* box, std::uint32_t height, std::uint32_t width) {
    const double smaller = std::min(box[2], box[3]);
    found.smallest = std::min(found.smallest, smaller);
    found.largest =
        std::max({found.largest, std::fabs(box[0]), std::fabs(box[1]), std::fabs(box[2]), std::fabs(box[3])});
    found.positive += std::max(box[2], box[3]) > 0;
    found.corners += (box[2] >= box[0]) & (box[3] >= box[1]);
    const double x = box[0] + box[2] / 2, y = box[1] + box[3] / 2;
    const bool beyond = (x < 0) | (y < 0) | (x > width) | (y > height);
    found.outside += beyond & (height != 0) & (width != 0);
}

}  // namespace

Survey survey(std::span<const double> boxes, std::span<const std::int32_t> image, std::span<const std::uint32_t> sizes,
              std::size_t threads) {
    if (boxes.size() != 4 * image.size()) {
        throw Error("column-length", std::to_string(boxes.size() / 4) + " boxes",
                    std::to_string(image.size()) + ", one for each annotation");
    }
    std::vector<Survey> parts((image.size() + kPiece - 1) / kPiece);
    parallel_for(parts.size(), threads, [&](std::size_t piece) {
        Survey found;
        for (std::size_t i = piece * kPiece; i < std::min(image.size(), (piece + 1) * kPiece); ++i) {
            const auto place = static_cast<std::size_t>(image[i]);
            if (image[i] < 0 || place >= sizes.size() / 2) {
                throw Error("column-range", "image " + std::to_string(image[i]),
                            "a place among " + std::to_string(sizes.size() / 2) + " images")
                    .at_row(static_cast<std::int64_t>(i));
            }
            look(found, &boxes[4 * i], sizes[2 * place], sizes[2 * place + 1]);
        }
        parts[piece] = found;
    });
    Survey all;
    for (const Survey& part : parts) {
        all.smallest = std::min(all.smallest, part.smallest);
        all.largest = std::max(all.largest, part.largest);
        all.positive += part.positive;
        all.corners += part.corners;
        all.outside += part.outside;
    }
    return all;
}

}  // namespace rapideval::boxes
