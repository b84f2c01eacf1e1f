// One look at all boxes of a dataset, for the rules that say when boxes are not what they seem.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace rapideval::boxes {

struct Survey {
    double smallest = std::numeric_limits<double>::infinity();  // of all widths and heights
    double largest = 0;                                         // of all numbers, their sign aside
    std::int64_t positive = 0;                                  // boxes of which width or height is above 0
    std::int64_t corners = 0;  // boxes that can be x1, y1, x2, y2: the last two numbers not below the first two
    std::int64_t outside = 0;  // boxes whose centre lies beyond their image, where its size is known
};

// Boxes (N, 4) as x, y, width, height; the image of each (N); height and width of each image (I, 2), 0 where not known.
// Numbers must be finite. Throws "column-range" for an image that is not there.
Survey survey(std::span<const double> boxes, std::span<const std::int32_t> image, std::span<const std::uint32_t> sizes,
              std::size_t threads);

}  // namespace rapideval::boxes
