// IoU of axis-aligned boxes x, y, width, height.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rapideval::boxes {

// The operations and their order are those of COCO's reference code, so the result has the same bits. Where b is
// a crowd the union is the area of a. Boxes that only touch do not overlap.
inline double iou(const double* a, const double* b, bool b_crowd) {
    const double width = std::min(a[2] + a[0], b[2] + b[0]) - std::max(a[0], b[0]);
    if (!(width > 0)) return 0;
    const double height = std::min(a[3] + a[1], b[3] + b[1]) - std::max(a[1], b[1]);
    if (!(height > 0)) return 0;
    const double intersection = width * height;
    const double area = a[2] * a[3];
    return intersection / (b_crowd ? area : area + b[2] * b[3] - intersection);
}

// One byte a box, anything but 0 is true: a NumPy bool may hold other bytes than 0 and 1, a C++ bool must not.
using Flags = std::span<const std::uint8_t>;

// IoU (A, B) of boxes a (A, 4) and b (B, 4). Throws "box-finite" where a number is not finite.
std::vector<double> iou_matrix(std::span<const double> a, std::span<const double> b, Flags b_crowd);

}  // namespace rapideval::boxes
