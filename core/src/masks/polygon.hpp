// COCO's polygon rasteriser, bit for bit, without its five-fold upsampled outline.
//
// The reference rounds every vertex to fifths of a pixel, walks each edge in steps of one fifth, and notes where the
// walk passes the middle of a column; these places, sorted, are where the mask changes. Here each edge is asked
// directly at which height it passes each column's middle, with the reference's own arithmetic at the one or two
// steps that matter, and places are sorted by column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "masks/rle.hpp"

namespace rapideval::masks {

// Coordinates beyond this are refused: within it the reference's 32-bit arithmetic cannot overflow.
inline constexpr double kMaxCoordinate = 2e8;

// A row whose edges pass more column middles than this together is refused; the largest image has 2^32 columns at most
// only if it is one pixel high.
inline constexpr std::uint64_t kMaxCrossings = std::uint64_t{1} << 26;

// Rows of rings: ring r is points[2 * ring_offsets[r]:2 * ring_offsets[r + 1]] (x, y in pixels, closed implicitly), row
// n owns the rings row_offsets[n]:row_offsets[n + 1], sizes[2 * n:2 * n + 2] is its height and width.
struct PolygonRows {
    std::span<const double> points;
    std::span<const std::int64_t> ring_offsets, row_offsets;
    Flags ring_is_hole;
    std::span<const std::uint32_t> sizes;
};

// The mask of each row: its rings painted in order on background, where a hole clears what lies under it. Without holes
// that is the union of the rings. Throws "polygon-offsets", "mask-size", and with the row "polygon-points" (a ring of
// fewer than 3 points), "polygon-finite", "polygon-range" (beyond kMaxCoordinate), "polygon-length" (kMaxCrossings).
RaggedRuns from_polygons(const PolygonRows& rows, std::size_t threads);

}  // namespace rapideval::masks
