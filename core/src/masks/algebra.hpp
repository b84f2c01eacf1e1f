// Masks made of masks: union, intersection, difference, crop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "masks/rle.hpp"

namespace rapideval::masks {

enum class Operation { kUnion, kIntersection, kDifference };

// One mask for each group of consecutive masks groups[g]:groups[g + 1]; difference: the first minus the others. Throws
// "rle-groups" where groups do not rise from 0 to the number of masks or one is empty, "mask-size" where the masks
// of a group are of several sizes.
RaggedRuns combine(const MaskSet& set, std::span<const std::int64_t> groups, Operation operation, std::size_t threads);

// Mask i cut to its window x, y, width, height = windows[4 * i:4 * i + 4], which becomes its size; beyond the image
// lies background. Throws "crop-window" where a width or height is negative, "mask-size" where a window has too many
// pixels.
RaggedRuns crop(const MaskSet& set, std::span<const std::int64_t> windows, std::size_t threads);

}  // namespace rapideval::masks
