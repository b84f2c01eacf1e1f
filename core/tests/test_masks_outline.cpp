#include <doctest/doctest.h>

#include <set>
#include <utility>

#include "masks/outline.hpp"
#include "masks/polygon.hpp"
#include "masks_help.hpp"

using namespace rapideval::masks;
using namespace rapideval::masks::testing;

TEST_CASE("outlines rasterised again are the mask, and simple where objects are 4-connected") {
    std::mt19937 random(10);
    for (int round = 0; round < 3000; ++round) {
        const Dense dense = random_mask(random, 16);
        const auto runs = runs_of(dense);
        const std::vector<std::int64_t> offsets{0, static_cast<std::int64_t>(runs.size())};
        const std::vector<std::uint32_t> sizes{dense.size.height, dense.size.width};
        for (const Connectivity connectivity : {Connectivity::kFour, Connectivity::kEight}) {
            const Outlines found = outlines({runs, offsets, sizes}, connectivity, 1);
            REQUIRE(found.ring_offsets.size() == found.ring_is_hole.size() + 1);
            CHECK(from_polygons({found.points, found.ring_offsets, found.row_offsets, found.ring_is_hole, sizes}, 1)
                      .counts == runs);
            if (connectivity == Connectivity::kEight) continue;
            for (std::size_t r = 0; r + 1 < found.ring_offsets.size(); ++r) {
                std::set<std::pair<double, double>> points;
                const auto begin = static_cast<std::size_t>(found.ring_offsets[r]),
                           end = static_cast<std::size_t>(found.ring_offsets[r + 1]);
                for (std::size_t i = begin; i < end; ++i) points.emplace(found.points[2 * i], found.points[2 * i + 1]);
                CHECK(points.size() == end - begin);
            }
        }
    }
}
