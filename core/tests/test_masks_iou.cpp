#include <doctest/doctest.h>

#include <algorithm>

#include "common/error.hpp"
#include "masks/iou.hpp"
#include "masks/measure.hpp"
#include "masks_help.hpp"

using namespace rapideval::masks;
using namespace rapideval::masks::testing;

static PixelBox box_of(Runs runs, Size size) { return rapideval::masks::box(runs, size); }

TEST_CASE("prepared masks give the area, the box and the intersection of the dense masks") {
    std::mt19937 random(1);
    for (int round = 0; round < 3000; ++round) {
        const Dense a = random_mask(random);
        Dense b = round % 2 == 0 ? random_dense(random, a.size, 0.3) : random_blocks(random, a.size);
        const auto a_runs = runs_of(a), b_runs = runs_of(b);
        std::vector<std::uint32_t> a_bounds(a_runs.size()), b_bounds(b_runs.size());
        const Prepared left = prepare(a_runs, a.size, a_bounds.data()),
                       right = prepare(b_runs, b.size, b_bounds.data());

        std::uint64_t area = 0, shared = 0, whole = 0;
        PixelBox box;
        for (std::uint32_t x = 0; x < a.size.width; ++x) {
            for (std::uint32_t y = 0; y < a.size.height; ++y) {
                area += a.at(x, y);
                shared += a.at(x, y) & b.at(x, y);
                whole += a.at(x, y) | b.at(x, y);
                if (a.at(x, y) == 0) continue;
                if (box.x1 == 0) box = {x, y, x, y};
                box = {box.x0, std::min(box.y0, y), x + 1, std::max(box.y1, y + 1)};
            }
        }
        CHECK(left.area == area);
        CHECK(left.box == box);
        CHECK(box_of(a_runs, a.size) == box);
        CHECK(intersection_area(left, right) == shared);
        CHECK(intersection_area(Runs(a_runs), Runs(b_runs)) == shared);

        const double expected = shared == 0 ? 0 : static_cast<double>(shared) / static_cast<double>(whole);
        CHECK(iou(left, right, false) == expected);
        CHECK(iou_bound(left, right, false) >= expected);
        for (const double threshold : {0.1, 0.5, 0.95}) {
            const double found = iou_at_least(left, right, false, threshold);
            CHECK((found == expected || (found == 0 && expected < threshold)));
        }
        const double crowd = area == 0 ? 0 : static_cast<double>(shared) / static_cast<double>(area);
        CHECK(iou(left, right, true) == crowd);
        CHECK(iou_bound(left, right, true) >= crowd);
        const double found = iou_at_least(left, right, true, 0.5);
        CHECK((found == crowd || (found == 0 && crowd < 0.5)));
    }
}

TEST_CASE("empty runs anywhere change nothing") {
    std::mt19937 random(2);
    for (int round = 0; round < 500; ++round) {
        const Dense a = random_mask(random, 9);
        const auto plain = runs_of(a);
        std::vector<std::uint32_t> padded;
        for (const std::uint32_t run : plain) {
            const std::uint32_t cut = std::uniform_int_distribution<std::uint32_t>(0, run)(random);
            padded.insert(padded.end(), {cut, 0, run - cut});
        }
        std::vector<std::uint32_t> bounds(plain.size()), padded_bounds(padded.size());
        const Prepared left = prepare(plain, a.size, bounds.data()),
                       right = prepare(padded, a.size, padded_bounds.data());
        CHECK(left.intervals == right.intervals);
        CHECK(std::equal(left.bounds, left.bounds + 2 * left.intervals, right.bounds));
        CHECK(left.area == right.area);
        CHECK(left.box == right.box);
        CHECK(intersection_area(Runs(plain), Runs(padded)) == left.area);
    }
}

TEST_CASE("positions up to 2^32 - 1 do not wrap") {
    const Size size{65535, 65537};
    const std::vector<std::uint32_t> whole{0, 0xffff'ffff}, last{0xffff'fffe, 1};
    std::vector<std::uint32_t> whole_bounds(2), last_bounds(2);
    const Prepared a = prepare(whole, size, whole_bounds.data()), b = prepare(last, size, last_bounds.data());
    CHECK(a.box == PixelBox{0, 0, 65537, 65535});
    CHECK(b.box == PixelBox{65536, 65534, 65537, 65535});
    CHECK(intersection_area(a, b) == 1);
    CHECK(intersection_area(Runs(whole), Runs(last)) == 1);
}

TEST_CASE("check_masks names the rule and the row") {
    const std::vector<std::uint32_t> counts{4, 4}, sizes{2, 2, 3, 3};
    const std::vector<std::int64_t> offsets{0, 1, 2};
    try {
        check_masks({counts, offsets, sizes});
        FAIL("not refused");
    } catch (const rapideval::Error& error) {
        CHECK(error.rule() == "rle-sum");
        CHECK(error.row() == 1);
    }
}
