// The best overlap of detections with objects of other labels than their own: what they may be confused with.
#pragma once

#include <cstdint>
#include <span>

#include "common/buffer.hpp"
#include "matching/match.hpp"
#include "matching/overlap.hpp"

namespace rapideval::matching {

struct Others {
    Buffer<double> iou;        // (D,) 0 where none reaches the floor
    Buffer<std::int32_t> row;  // (D,) row of the object, or -1
};

// rows (D,): the detections asked about. Crowds are left out. Of equal overlaps the first object is told.
Others best_others(const Rows& detections, std::span<const std::int32_t> rows, const Rows& objects, Flags crowd,
                   std::size_t images, const Overlap& overlap, double floor, int threads);

}  // namespace rapideval::matching
