// Rings of arbitrary coordinates: refused, or a sound mask that does not depend on where a ring begins or which way it
// runs.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "common/error.hpp"
#include "masks/algebra.hpp"
#include "masks/polygon.hpp"

using namespace rapideval;
using namespace rapideval::masks;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

struct Rows {
    std::vector<double> points;
    std::vector<std::int64_t> rings{0}, rows{0};
    std::vector<std::uint8_t> holes;
    std::vector<std::uint32_t> sizes;

    void end_ring(bool hole) {
        rings.push_back(static_cast<std::int64_t>(points.size() / 2));
        holes.push_back(hole);
    }
    void end_row(Size size) {
        rows.push_back(static_cast<std::int64_t>(holes.size()));
        sizes.insert(sizes.end(), {size.height, size.width});
    }
    PolygonRows view() const { return {points, rings, rows, holes, sizes}; }
};

// The same rings, each begun at its second point and run backwards.
Rows turned(const Rows& from) {
    Rows to = from;
    for (std::size_t r = 0; r + 1 < from.rings.size(); ++r) {
        const auto begin = static_cast<std::size_t>(from.rings[r]),
                   count = static_cast<std::size_t>(from.rings[r + 1]) - begin;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t source = begin + (2 * count - i) % count;
            to.points[2 * (begin + i)] = from.points[2 * source];
            to.points[2 * (begin + i) + 1] = from.points[2 * source + 1];
        }
    }
    return to;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
    if (length < 3) return 0;
    // Sizes up to 4 million pixels, so that a run of the fuzzer is not spent on wide outlines.
    const Size size{1u + data[0] * 8u, 1u + data[1] * 8u};
    const bool raw = (data[2] & 1) != 0, with_holes = (data[2] & 2) != 0;
    const std::size_t width = raw ? sizeof(double) : sizeof(std::int16_t);
    Rows rows;
    for (std::size_t at = 3; at + 2 * width <= length; at += 2 * width) {
        double point[2];
        if (raw) {
            std::memcpy(point, data + at, sizeof point);
        } else {
            for (std::size_t i = 0; i < 2; ++i) {
                std::int16_t twentieths;
                std::memcpy(&twentieths, data + at + i * width, width);
                point[i] = twentieths / 20.;
            }
        }
        rows.points.insert(rows.points.end(), {point[0], point[1]});
        const std::uint8_t mark = data[at];
        if (mark % 7 == 0) rows.end_ring(with_holes && mark % 2 == 1);
    }
    rows.end_ring(false);
    rows.end_row(size);
    try {
        const RaggedRuns made = from_polygons(rows.view(), 1);
        check_masks({made.counts, made.offsets, rows.sizes});
        require(std::find(made.counts.begin() + 1, made.counts.end(), 0u) == made.counts.end());
        require(from_polygons(turned(rows).view(), 1).counts == made.counts);

        if (with_holes) return 0;
        Rows apart = rows;
        apart.rows.clear();
        apart.sizes.clear();
        for (std::size_t r = 0; r < rows.rings.size(); ++r) {
            apart.rows.push_back(static_cast<std::int64_t>(r));
            if (r > 0) apart.sizes.insert(apart.sizes.end(), {size.height, size.width});
        }
        const RaggedRuns parts = from_polygons(apart.view(), 1);
        const std::vector<std::int64_t> all{0, static_cast<std::int64_t>(parts.offsets.size() - 1)};
        require(combine({parts.counts, parts.offsets, apart.sizes}, all, Operation::kUnion, 1).counts == made.counts);
    } catch (const Error&) {
    }
    return 0;
}
