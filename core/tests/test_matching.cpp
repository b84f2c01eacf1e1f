#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "common/error.hpp"
#include "matching/accumulate.hpp"
#include "matching/cell.hpp"
#include "matching/match.hpp"
#include "matching/order.hpp"
#include "matching/overlap.hpp"

using namespace rapideval;
using namespace rapideval::matching;

namespace {

std::vector<std::uint32_t> plain_order(const std::vector<std::uint64_t>& keys) {
    std::vector<std::uint32_t> order(keys.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return keys[a] < keys[b]; });
    return order;
}

// Two images, one label: two objects and three detections on the first, one detection on the second.
struct Example {
    std::vector<std::int32_t> image{0, 0, 0, 1}, label{0, 0, 0, 0};
    std::vector<double> score{0.5, 0.9, 0.7, 0.9}, area{100, 100, 81, 4};
    std::vector<double> box{0, 0, 10, 10, 0, 0, 10, 10, 20, 0, 9, 9, 0, 0, 2, 2};
    std::vector<std::int32_t> object_image{0, 0}, object_label{0, 0};
    std::vector<double> object_area{100, 100}, object_box{0, 0, 10, 10, 20, 0, 10, 10};
    std::vector<std::uint8_t> crowd{0, 0};
    std::vector<std::int32_t> ranks{0, 1};
    std::vector<double> thresholds{0.5, 0.75, 0.9}, ranges{0, 1e10, 0, 50};

    MatchTable run(int threads = 1) const {
        MatchOptions options;
        options.image_rank = ranks;
        options.labels = 1;
        options.iou_thresholds = thresholds;
        options.area_ranges = ranges;
        options.threads = threads;
        const BoxOverlap overlap(box, object_box, crowd);
        return match({image, label, area}, score, {object_image, object_label, object_area}, crowd, {}, overlap,
                     options);
    }
};

template <typename T>
std::vector<T> list(const Buffer<T>& buffer) {
    return {buffer.begin(), buffer.end()};
}

}  // namespace

TEST_CASE("keys rise as scores fall") {
    const std::vector<double> falling{1e308, 1, 0.5, 1e-320, 0.0, -1e-320, -2};
    for (std::size_t i = 1; i < falling.size(); ++i) CHECK(falling_key(falling[i - 1]) < falling_key(falling[i]));
    CHECK(falling_key(0.0) == falling_key(-0.0));
}

TEST_CASE("the order is that of a stable sort, whatever the keys") {
    std::mt19937_64 random(7);
    OrderScratch scratch;
    const auto check = [&](const std::vector<std::uint64_t>& keys) {
        std::vector<std::uint32_t> order(keys.size());
        rising_order(keys, order, scratch);
        CHECK(order == plain_order(keys));
    };
    for (const std::size_t n : {0u, 1u, 2u, 50u, 1499u, 1500u, 20000u}) {
        std::vector<std::uint64_t> keys(n);
        for (auto& key : keys) key = random();
        check(keys);
        for (auto& key : keys) key = falling_key(std::uniform_real_distribution<double>(0, 1)(random));
        check(keys);
        for (auto& key : keys) key = random() % 7;  // many ties
        check(keys);
        for (auto& key : keys) key = (std::uint64_t{1} << 60) + random() % 1000;  // a narrow band
        check(keys);
        if (n > 0) keys.back() = 0;  // one far off: all others agree in the upper bits
        check(keys);
    }
}

TEST_CASE("bits of an area range may lie across two words") {
    Grid grid;
    grid.thresholds.assign(40, 0.5);
    grid.ranges.assign(6, 0.0);
    std::vector<std::uint64_t> row(grid.words(), 0);
    grid.put(row.data(), 1, std::uint64_t{0xabcdef0123});
    TableView view;
    view.thresholds = 40;
    view.areas = 3;
    CHECK(grid.words() == 2);
    CHECK(view.bits(row.data(), 0) == 0);
    CHECK(view.bits(row.data(), 1) == 0xabcdef0123);
    CHECK(view.bits(row.data(), 2) == 0);
}

TEST_CASE("detections are matched best score first, each object once") {
    const MatchTable table = Example().run();
    CHECK(list(table.row) == std::vector<std::int32_t>{1, 3, 2, 0});
    CHECK(list(table.rank) == std::vector<std::int32_t>{0, 0, 1, 2});
    CHECK(list(table.matched_row) == std::vector<std::int32_t>{0, -1, 1, -1});
    CHECK(list(table.iou) == std::vector<double>{1, 0, 0.81, 1});
    // thresholds 0.5, 0.75, 0.9 in the low three bits, the same for areas up to 50 above
    CHECK(list(table.matched) == std::vector<std::uint64_t>{0b111'111, 0, 0b011'011, 0});
    CHECK(list(table.ignored) == std::vector<std::uint64_t>{0b111'000, 0, 0b111'000, 0b111'000});
    CHECK(list(table.object_ignored) == std::vector<std::uint64_t>{0b10, 0b10});
}

TEST_CASE("an empty input gives an empty table") {
    Example empty;
    empty.image = empty.label = empty.object_image = empty.object_label = empty.ranks = {};
    empty.score = empty.area = empty.box = empty.object_area = empty.object_box = {};
    empty.crowd = {};
    const MatchTable table = empty.run();
    CHECK(table.row.size() == 0);
    CHECK(list(table.label_offsets) == std::vector<std::int64_t>{0, 0});
}

TEST_CASE("curves of the example") {
    const Example example;
    const MatchTable table = example.run();
    const TableView view{table.label_offsets, table.score, table.rank, table.matched, table.ignored, 3, 2};
    const std::vector<std::int64_t> positives{2, 0}, limits{1, 100};
    const std::vector<double> recalls{0, 0.5, 1};
    const Curves curves = accumulate(view, positives, recalls, limits, 1);
    // (A, M, T, K): area range 0, limits 1 and 100; area range 1 has no object
    CHECK(list(curves.recall) == std::vector<double>{0.5, 0.5, 0.5, 1, 1, 0.5, -1, -1, -1, -1, -1, -1});
    // at limit 100 and IoU 0.5: true, false, true, false
    const double one = 1 / (1 + 2.220446049250313e-16), third = 2 / 3.0;
    const std::vector<double> expected{one, one, third};
    CHECK(std::equal(expected.begin(), expected.end(), curves.precision.begin() + 9));
    CHECK(std::all_of(curves.precision.begin() + 18, curves.precision.end(), [](double p) { return p == -1; }));
}

TEST_CASE("columns that do not fit are refused") {
    Example example;
    SUBCASE("an image that is not there") { example.image[2] = 2; }
    SUBCASE("a label that is not there") { example.object_label[1] = 1; }
    SUBCASE("a rank given twice") { example.ranks = {1, 1}; }
    SUBCASE("a score that is not a number") { example.score[0] = std::numeric_limits<double>::quiet_NaN(); }
    SUBCASE("no threshold") { example.thresholds.clear(); }
    SUBCASE("too many thresholds") { example.thresholds.assign(65, 0.5); }
    SUBCASE("a shorter column") { example.area.pop_back(); }
    CHECK_THROWS_AS(example.run(), Error);
}
