// Outlines of masks along their pixels' edges, exact: rasterised again they give the same mask.
//
// Rings are closed implicitly, turn at every point, and have the foreground on their right as seen on the screen (y
// down): exteriors run clockwise, holes the other way.
//
// Where two foreground pixels touch at a corner only,
// - 4-connectivity holds them apart: every ring is simple (no point twice), holes may touch each other and their
//   exterior at points, and each exterior with its holes is a valid polygon;
// - 8-connectivity holds them together: there is one exterior for each 8-connected object, and a ring may touch
//   itself at corners, without crossing. As polygons such rings are not valid, though they enclose the right pixels.
//
// Order: rings are meant to be painted one after another, a hole clearing what lies under it. Exteriors come in the
// order of their leftmost (then highest) points, each followed at once by its holes in the same order. An island in a
// hole begins further right than the object around it, so it is painted after the hole is cleared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "masks/rle.hpp"

namespace rapideval::masks {

enum class Connectivity { kFour, kEight };

// Laid out as PolygonRows (masks/polygon.hpp). An empty mask has no rings.
struct Outlines {
    std::vector<double> points;
    std::vector<std::int64_t> ring_offsets, row_offsets;
    std::vector<std::uint8_t> ring_is_hole;
};

Outlines outlines(const MaskSet& set, Connectivity connectivity, std::size_t threads);

}  // namespace rapideval::masks
