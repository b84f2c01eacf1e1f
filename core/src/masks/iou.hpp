// IoU of masks, arranged so that most pairs are never walked.
//
// A mask is prepared once (intervals instead of run lengths, area, tight box); then a pair costs a box test, an
// upper bound from boxes and areas, and only then one walk over the runs inside the columns both masks reach.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "masks/measure.hpp"
#include "masks/rle.hpp"

namespace rapideval::masks {

struct Prepared {
    const std::uint32_t* bounds = nullptr;  // start and end of each foreground interval, strictly rising
    std::size_t intervals = 0;
    std::uint64_t area = 0;
    PixelBox box;
};

// Fills bounds, which must have room for runs.size() numbers and outlive the result. The runs must be sound
// (check_masks); two masks are compared only if their sizes are equal, which is the caller's to see to.
Prepared prepare(Runs runs, Size size, std::uint32_t* bounds);

// Pixels that both masks hold.
std::uint64_t intersection_area(const Prepared& a, const Prepared& b);
std::uint64_t intersection_area(Runs a, Runs b);  // without preparation, for a pair met once

// i / union as COCO's reference divides it; where b is a crowd the union is a's area.
inline double iou_of_areas(std::uint64_t intersection, std::uint64_t a_area, std::uint64_t b_area, bool b_crowd) {
    if (intersection == 0) return 0;
    const std::uint64_t whole = b_crowd ? a_area : a_area + b_area - intersection;
    return static_cast<double>(intersection) / static_cast<double>(whole);
}

// Never less than the IoU, to the last bit: the intersection cannot exceed either area nor what the boxes share,
// and the division is monotone.
inline double iou_bound(const Prepared& a, const Prepared& b, bool b_crowd) {
    std::uint64_t most = overlap(a.box, b.box);
    most = most < a.area ? most : a.area;
    most = most < b.area ? most : b.area;
    return iou_of_areas(most, a.area, b.area, b_crowd);
}

inline double iou(const Prepared& a, const Prepared& b, bool b_crowd) {
    if (overlap(a.box, b.box) == 0) return 0;
    return iou_of_areas(intersection_area(a, b), a.area, b.area, b_crowd);
}

// The IoU, or 0 without a walk where the bound shows that it is below the threshold (> 0).
inline double iou_at_least(const Prepared& a, const Prepared& b, bool b_crowd, double threshold) {
    const double bound = iou_bound(a, b, b_crowd);
    if (bound < threshold || bound == 0) return 0;
    return iou_of_areas(intersection_area(a, b), a.area, b.area, b_crowd);
}

// IoU (A, B), and IoU (P,) of the pairs of row numbers (P, 2). Throw "mask-size" where the two masks of a pair
// are of different sizes, "mask-crowd" unless there is a flag for each b, "mask-pair" where a row does not exist.
std::vector<double> iou_matrix(const MaskSet& a, const MaskSet& b, Flags b_crowd, std::size_t threads);
std::vector<double> iou_pairs(const MaskSet& a, const MaskSet& b, Flags b_crowd, std::span<const std::int64_t> pairs,
                              std::size_t threads);

}  // namespace rapideval::masks
