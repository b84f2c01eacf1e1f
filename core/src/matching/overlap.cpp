#include "matching/overlap.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "boxes/box_iou.hpp"
#include "common/error.hpp"
#include "common/parallel.hpp"

namespace rapideval::matching {

namespace {

void check_boxes(std::span<const double> boxes, const char* side) {
    for (std::size_t row = 0; 4 * row < boxes.size(); ++row) {
        const double* box = boxes.data() + 4 * row;
        const double area = box[2] * box[3];
        const bool vanishes = area == 0 && box[2] > 0 && box[3] > 0;
        if (std::isfinite(area) && !vanishes && std::isfinite(box[0] + box[2]) && std::isfinite(box[1] + box[3])) {
            continue;
        }
        throw Error("box-extent",
                    "a box of " + std::to_string(box[0]) + ", " + std::to_string(box[1]) + ", " +
                        std::to_string(box[2]) + ", " + std::to_string(box[3]),
                    "finite numbers whose area is a number too")
            .at_path(side)
            .at_row(static_cast<std::int64_t>(row));
    }
}

// A sound mask, ready to be compared; bounds must have room for its runs.
masks::Prepared prepare_checked(const masks::MaskSet& set, std::size_t row, std::uint32_t* bounds, const char* side) {
    const masks::Runs runs = set.runs(row);
    if (runs.empty()) {
        throw Error("mask-missing", "no mask", "a mask for every row")
            .at_path(side)
            .at_row(static_cast<std::int64_t>(row));
    }
    try {
        masks::check_size(set.size_of(row), row);
        masks::check_runs(runs, set.size_of(row), row);
    } catch (Error& error) {
        error.at_path(side);
        throw;
    }
    return masks::prepare(runs, set.size_of(row), bounds);
}

}  // namespace

BoxOverlap::BoxOverlap(std::span<const double> detections, std::span<const double> objects, Flags crowd)
    : detections_(detections), objects_(objects), crowd_(crowd) {
    check_boxes(detections, "predictions.box");
    check_boxes(objects, "ground_truth.box");
}

void BoxOverlap::row(std::int32_t detection, std::span<const std::int32_t> objects, double /*floor*/, double* iou,
                     OverlapScratch& /*scratch*/) const {
    const double* box = detections_.data() + 4 * static_cast<std::size_t>(detection);
    for (const std::int32_t row : objects) {
        const auto object = static_cast<std::size_t>(row);
        *iou++ = boxes::iou(box, objects_.data() + 4 * object, crowd_[object] != 0);
    }
}

MaskOverlap::MaskOverlap(const masks::MaskSet& detections, const masks::MaskSet& objects, Flags crowd,
                         std::size_t threads)
    : detections_(detections),
      objects_(objects),
      crowd_(crowd),
      bounds_(objects.counts.size()),
      prepared_(objects.size()) {
    masks::check_offsets(detections.offsets, detections.counts.size(), "rle-offsets", "predictions.masks.offsets");
    masks::check_offsets(objects.offsets, objects.counts.size(), "rle-offsets", "ground_truth.masks.offsets");
    constexpr std::size_t kPiece = 256;
    parallel_for((objects.size() + kPiece - 1) / kPiece, threads, [&](std::size_t piece) {
        for (std::size_t i = piece * kPiece; i < std::min(objects.size(), (piece + 1) * kPiece); ++i) {
            prepared_[i] = prepare_checked(objects, i, bounds_.data() + objects.offsets[i], "ground_truth.masks");
        }
    });
}

void MaskOverlap::row(std::int32_t detection, std::span<const std::int32_t> objects, double floor, double* iou,
                      OverlapScratch& scratch) const {
    const auto row = static_cast<std::size_t>(detection);
    scratch.bounds.resize(std::max(scratch.bounds.size(), detections_.runs(row).size()));
    const masks::Prepared mask = prepare_checked(detections_, row, scratch.bounds.data(), "predictions.masks");
    for (const std::int32_t other : objects) {
        const auto object = static_cast<std::size_t>(other);
        if (detections_.size_of(row) != objects_.size_of(object)) {
            throw Error("mask-size", "a mask of " + masks::to_string(detections_.size_of(row)),
                        masks::to_string(objects_.size_of(object)) + ", as the ground truth of its image")
                .at_path("predictions.masks")
                .at_row(detection);
        }
        *iou++ = masks::iou_at_least(mask, prepared_[object], crowd_[object] != 0, floor);
    }
}

}  // namespace rapideval::matching
