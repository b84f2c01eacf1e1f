#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "masks/algebra.hpp"
#include "masks/polygon.hpp"
#include "masks_help.hpp"

using namespace rapideval;
using namespace rapideval::masks;
using namespace rapideval::masks::testing;

namespace {

struct Points {
    std::vector<double> x, y;
};

// The definition: walk the outline in fifths of a pixel and note where it passes the middle of a column.
std::vector<std::uint32_t> walked(const Points& ring, Size size) {
    const double height = size.height, width = size.width;
    std::vector<int> us, vs;
    const std::size_t n = ring.x.size();
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t j = (i + 1) % n;
        int x0 = static_cast<int>(5 * ring.x[i] + .5), y0 = static_cast<int>(5 * ring.y[i] + .5);
        int x1 = static_cast<int>(5 * ring.x[j] + .5), y1 = static_cast<int>(5 * ring.y[j] + .5);
        const int dx = std::abs(x1 - x0), dy = std::abs(y1 - y0), steps = std::max(dx, dy);
        const bool flat = dx >= dy, flip = flat ? x0 > x1 : y0 > y1;
        if (flip) {
            std::swap(x0, x1);
            std::swap(y0, y1);
        }
        const double slope = steps == 0 ? 0
                             : flat     ? static_cast<double>(y1 - y0) / dx
                                        : static_cast<double>(x1 - x0) / dy;
        for (int d = 0; d <= steps; ++d) {
            const int t = flip ? steps - d : d;
            us.push_back(flat ? x0 + t : static_cast<int>(x0 + slope * t + .5));
            vs.push_back(flat ? static_cast<int>(y0 + slope * t + .5) : y0 + t);
        }
    }
    std::vector<std::uint32_t> changes;
    for (std::size_t i = 1; i < us.size(); ++i) {
        if (us[i] == us[i - 1]) continue;
        const double column = ((us[i] < us[i - 1] ? us[i] : us[i] - 1) + .5) / 5 - .5;
        if (std::floor(column) != column || column < 0 || column > width - 1) continue;
        const double row = std::ceil(std::clamp((std::min(vs[i], vs[i - 1]) + .5) / 5 - .5, 0., height));
        const auto position = static_cast<std::uint32_t>(column) * size.height + static_cast<std::uint32_t>(row);
        const auto twin = std::find(changes.begin(), changes.end(), position);
        if (twin == changes.end()) {
            changes.push_back(position);
        } else {
            changes.erase(twin);
        }
    }
    std::sort(changes.begin(), changes.end());
    if (!changes.empty() && changes.back() == size.pixels()) changes.pop_back();
    return changes;
}

Dense painted(std::span<const std::uint32_t> changes, Size size) {
    Dense dense{size, std::vector<std::uint8_t>(size.pixels())};
    std::size_t next = 0;
    std::uint8_t value = 0;
    for (std::size_t i = 0; i < dense.pixels.size(); ++i) {
        if (next < changes.size() && changes[next] == i) {
            value ^= 1;
            ++next;
        }
        dense.pixels[i] = value;
    }
    return dense;
}

}  // namespace

TEST_CASE("rings painted in order equal the walked outlines painted in order") {
    std::mt19937 random(8);
    const auto integer = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    for (int round = 0; round < 3000; ++round) {
        const Size size{static_cast<std::uint32_t>(integer(1, 30)), static_cast<std::uint32_t>(integer(1, 30))};
        std::vector<double> points;
        std::vector<std::int64_t> rings{0};
        std::vector<std::uint8_t> holes;
        Dense canvas{size, std::vector<std::uint8_t>(size.pixels())};
        const double grain = std::vector<double>{1, 2, 5, 10, 1e6}[static_cast<std::size_t>(integer(0, 4))];
        for (int ring = integer(1, 4); ring > 0; --ring) {
            Points corners;
            for (int corner = integer(3, 8); corner > 0; --corner) {
                corners.x.push_back(std::round(std::uniform_real_distribution<double>(-10, 40)(random) * grain) /
                                    grain);
                corners.y.push_back(std::round(std::uniform_real_distribution<double>(-10, 40)(random) * grain) /
                                    grain);
                points.insert(points.end(), {corners.x.back(), corners.y.back()});
            }
            rings.push_back(static_cast<std::int64_t>(points.size() / 2));
            holes.push_back(round % 2 == 0 ? 0 : static_cast<std::uint8_t>(integer(0, 1)));
            const Dense part = painted(walked(corners, size), size);
            for (std::size_t i = 0; i < canvas.pixels.size(); ++i) {
                if (part.pixels[i]) canvas.pixels[i] = !holes.back();
            }
        }
        const std::vector<std::int64_t> rows{0, static_cast<std::int64_t>(holes.size())};
        const std::vector<std::uint32_t> sizes{size.height, size.width};
        CHECK(from_polygons({points, rings, rows, holes, sizes}, 1).counts == runs_of(canvas));
    }
}

TEST_CASE("combined masks equal their combined pixels") {
    std::mt19937 random(9);
    for (int round = 0; round < 1000; ++round) {
        const Size size{static_cast<std::uint32_t>(1 + random() % 20), static_cast<std::uint32_t>(1 + random() % 20)};
        std::vector<Dense> masks;
        std::vector<std::uint32_t> counts, sizes;
        std::vector<std::int64_t> offsets{0};
        for (std::uint32_t n = 1 + random() % 6; n > 0; --n) {
            masks.push_back(round % 2 == 0 ? random_dense(random, size, 0.4) : random_blocks(random, size));
            const auto runs = runs_of(masks.back());
            counts.insert(counts.end(), runs.begin(), runs.end());
            offsets.push_back(static_cast<std::int64_t>(counts.size()));
            sizes.insert(sizes.end(), {size.height, size.width});
        }
        const std::vector<std::int64_t> groups{0, static_cast<std::int64_t>(masks.size())};
        const MaskSet set{counts, offsets, sizes};
        Dense either = masks[0], both = masks[0], first = masks[0];
        for (std::size_t m = 1; m < masks.size(); ++m) {
            for (std::size_t i = 0; i < either.pixels.size(); ++i) {
                either.pixels[i] |= masks[m].pixels[i];
                both.pixels[i] &= masks[m].pixels[i];
                first.pixels[i] &= static_cast<std::uint8_t>(1 - masks[m].pixels[i]);
            }
        }
        CHECK(combine(set, groups, Operation::kUnion, 1).counts == runs_of(either));
        CHECK(combine(set, groups, Operation::kIntersection, 1).counts == runs_of(both));
        CHECK(combine(set, groups, Operation::kDifference, 1).counts == runs_of(first));
    }
}
