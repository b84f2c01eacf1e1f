// Intersection over union of detections with the objects of their cell (one image, one label).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/buffer.hpp"
#include "masks/iou.hpp"
#include "masks/rle.hpp"

namespace rapideval::matching {

// One byte a row, anything but 0 is true.
using Flags = std::span<const std::uint8_t>;

// Memory that one thread lends to Overlap::row from call to call.
struct OverlapScratch {
    std::vector<std::uint32_t> bounds;
};

// What the matcher asks about shapes. One instance serves all threads.
class Overlap {
  public:
    virtual ~Overlap() = default;

    // iou[o] of one detection with each of these objects (row numbers). A value below `floor` may be given as
    // 0.
    virtual void row(std::int32_t detection, std::span<const std::int32_t> objects, double floor, double* iou,
                     OverlapScratch& scratch) const = 0;
};

class BoxOverlap final : public Overlap {
  public:
    // Boxes (N, 4) and (M, 4), row by row. Throws where an area is not a finite number, or a width and height
    // above zero multiply to zero: such boxes have no IoU.
    BoxOverlap(std::span<const double> detections, std::span<const double> objects, Flags crowd);

    void row(std::int32_t detection, std::span<const std::int32_t> objects, double floor, double* iou,
             OverlapScratch& scratch) const override;

  private:
    std::span<const double> detections_, objects_;
    Flags crowd_;
};

// Objects are prepared once, detections when they are asked about: each of those is asked about once, and
// those of cells without objects never.
class MaskOverlap final : public Overlap {
  public:
    // Throws where offsets do not fit, or an object has no mask or one whose runs do not sum to its size.
    MaskOverlap(const masks::MaskSet& detections, const masks::MaskSet& objects, Flags crowd, std::size_t threads);

    // Throws where the detection has no mask, a broken one, or one of another size than an object's.
    void row(std::int32_t detection, std::span<const std::int32_t> objects, double floor, double* iou,
             OverlapScratch& scratch) const override;

  private:
    masks::MaskSet detections_, objects_;
    Flags crowd_;
    Buffer<std::uint32_t> bounds_;
    std::vector<masks::Prepared> prepared_;
};

}  // namespace rapideval::matching
