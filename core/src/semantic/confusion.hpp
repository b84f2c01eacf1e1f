// Semantic segmentation compared on run lengths: which label stands where, on both sides, without a dense array.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "masks/rle.hpp"

namespace rapideval::semantic {

// The label masks of one side, sorted by image; those of an image are painted in order, a later one covers an
// earlier one. A mask whose ignore flag is set (ground truth only) takes its pixels out of the comparison.
struct Side {
    masks::MaskSet masks;
    std::span<const std::int32_t> image, label;
    masks::Flags ignore;  // empty: none
};

// Label K stands for pixels that no mask of that side holds.
struct Comparison {
    // A row for each image and label (rising) that stands anywhere in it, on either side.
    std::vector<std::int32_t> image, label;
    std::vector<std::int64_t> truth, predicted, intersection;  // pixels
    std::vector<std::int64_t> confusion;                       // (K + 1, K + 1): truth, predicted
    std::vector<std::int64_t> ignored;                         // (I,) pixels left out
    std::vector<std::int64_t> covered;                         // (I, 2) pixels painted more than once, by side
};

// sizes (I, 2): height and width; all masks of an image must be of its size. labels: K. ignore_unlabelled leaves out
// the pixels that no mask of the ground truth holds.
Comparison compare(std::span<const std::uint32_t> sizes, const Side& truth, const Side& predicted, std::size_t labels,
                   bool ignore_unlabelled, std::size_t threads);

}  // namespace rapideval::semantic
