#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "common/error.hpp"
#include "matching/others.hpp"

using namespace rapideval;
using namespace rapideval::matching;

TEST_CASE("the best object of another label, crowds left out") {
    // One image; detections of labels 0 and 1, objects of labels 0, 1, 1 and a crowd of 1.
    const std::vector<std::int32_t> image{0, 0}, label{0, 1}, object_image{0, 0, 0, 0}, object_label{0, 1, 1, 1};
    const std::vector<double> box{0, 0, 10, 10, 0, 0, 10, 8};
    const std::vector<double> object_box{0, 0, 10, 10, 0, 0, 10, 5, 0, 0, 10, 6, 0, 0, 10, 10};
    const std::vector<std::uint8_t> crowd{0, 0, 0, 1};
    const BoxOverlap overlap(box, object_box, crowd);
    const Rows detections{image, label, {}}, objects{object_image, object_label, {}};
    const auto ask = [&](std::vector<std::int32_t> rows, double floor) {
        return best_others(detections, rows, objects, crowd, 1, overlap, floor, 2);
    };
    const Others both = ask({1, 0}, 0.1);
    CHECK(both.row[0] == 0);
    CHECK(both.iou[0] == 0.8);
    CHECK(both.row[1] == 2);
    CHECK(both.iou[1] == 0.6);
    const Others high = ask({0}, 0.7);
    CHECK(high.row[0] == -1);
    CHECK(high.iou[0] == 0);
    CHECK_THROWS_AS(ask({2}, 0.1), Error);
}
