// Why a detection is wrong: the causes of TIDE (Bolya et al. 2020), image by image, over all labels at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/buffer.hpp"
#include "matching/match.hpp"
#include "matching/overlap.hpp"

namespace rapideval::matching {

enum class Cause : std::uint8_t {
    kCorrect = 0,
    kLocalisation = 1,  // right label, overlaps too little
    kLabel = 2,         // would be right under another label
    kBoth = 3,          // overlaps too little, and another label
    kDuplicate = 4,     // its object was found already by a surer detection
    kBackground = 5,    // no object near
};

struct CauseOptions {
    std::span<const std::int32_t> image_rank;
    double found = 0.5;                // IoU from which an object is found
    double background = 0.1;           // IoU up to which there is nothing
    std::size_t max_detections = 100;  // per image
    int threads = 0;
};

struct CauseTable {
    // The D kept detections: by image rank, then falling score.
    Buffer<std::int32_t> row;
    Buffer<std::uint8_t> cause;    // Cause
    Buffer<std::uint8_t> ignored;  // (D,) inside a crowd of its label: counts neither way, whatever its cause
    Buffer<std::int32_t> object;   // (D,) row of the object it found or its cause speaks of, or -1
    Buffer<double> iou;            // (D,) with that object, or 0
    // The G objects.
    Buffer<std::int32_t> found_by;   // (G,) row of the detection that found it, or -1
    Buffer<std::int32_t> mended_by;  // (G,) row of the surest detection whose mending would find it, or -1
};

CauseTable causes(const Rows& detections, std::span<const double> scores, const Rows& objects, Flags crowd,
                  const Overlap& overlap, const CauseOptions& options);

}  // namespace rapideval::matching
