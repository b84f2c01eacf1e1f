// Greedy matching of detections to ground truth, as COCO defines it, for all IoU thresholds and area ranges
// at once.
//
// What is matched, and what is ignored, is exactly what pycocotools' COCOeval.evaluateImg computes; how, is
// not: docs/performance.md, "Matching and accumulation".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/buffer.hpp"
#include "matching/overlap.hpp"

namespace rapideval::matching {

// The rows of one side, column by column. All spans are of one length.
struct Rows {
    std::span<const std::int32_t> image, label;
    std::span<const double> area;
    std::size_t size() const { return image.size(); }
};

struct MatchOptions {
    std::span<const std::int32_t> image_rank;  // place of each image in the order that breaks ties: a permutation
    std::size_t labels = 0;
    std::span<const double> iou_thresholds;  // (T,), 1 to 64
    std::span<const double> area_ranges;     // (A, 2), 1 to 64; both ends belong to the range
    std::int64_t max_detections = 100;       // per image and label (per image where class_agnostic)
    std::size_t reference = 0;               // the threshold whose pairs are told, for area range 0
    double iou_floor = 0.1;                  // best IoUs below this are not told
    bool class_agnostic = false;
    int threads = 0;
};

// D rows, one for each detection that is kept, by label (not where class_agnostic), then falling score, then
// image rank, then place in its image. Bit a * T + t stands for area range a and threshold t, in W words
// of 64.
struct MatchTable {
    std::size_t words = 1;
    Buffer<std::int64_t> label_offsets;    // (labels + 1,): the rows of each label; (2,) where class_agnostic
    Buffer<std::int32_t> row;              // (D,) the detection's row in the input
    Buffer<std::int32_t> image;            // (D,)
    Buffer<double> score;                  // (D,)
    Buffer<std::int32_t> rank;             // (D,) place in its cell, from 0
    Buffer<double> iou;                    // (D,) best IoU with an object of the cell that is not ignored, or 0
    Buffer<std::int32_t> iou_row;          // (D,) row of that object, or -1
    Buffer<double> matched_iou;            // (D,) IoU with the matched object at the reference, or 0
    Buffer<std::int32_t> matched_row;      // (D,) its row, or -1
    Buffer<std::uint64_t> matched;         // (D, W)
    Buffer<std::uint64_t> ignored;         // (D, W)
    Buffer<std::uint64_t> object_ignored;  // (G,) bit a: ignored in area range a
    Buffer<std::uint64_t> object_matched;  // (G, W)
};

// crowd and ignore (which may be empty: none) are flags of the objects. Throws Error for what is out of
// range.
MatchTable match(const Rows& detections, std::span<const double> scores, const Rows& objects, Flags crowd, Flags ignore,
                 const Overlap& overlap, const MatchOptions& options);

}  // namespace rapideval::matching
