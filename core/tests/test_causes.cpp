#include <doctest/doctest.h>

#include <vector>

#include "common/error.hpp"
#include "matching/causes.hpp"

using namespace rapideval;
using namespace rapideval::matching;

TEST_CASE("each detection gets its cause, and the surest one mends an object nobody found") {
    const std::vector<double> objects{0, 0, 10, 10, 50, 0, 10, 10};
    const std::vector<double> boxes{0, 0, 10, 10, 1, 0, 10, 10, 50, 0, 10, 10, 54, 0, 10, 10, 90, 90, 5, 5};
    const std::vector<std::int32_t> image(5, 0), label{0, 0, 1, 0, 0}, object_image(2, 0), object_label{0, 0}, rank{0};
    const std::vector<double> score{0.9, 0.8, 0.7, 0.6, 0.5};
    const std::vector<std::uint8_t> crowd{0, 0};
    const BoxOverlap overlap(boxes, objects, crowd);
    CauseOptions options;
    options.image_rank = rank;
    const Rows detections{image, label, {}}, truth{object_image, object_label, {}};
    const CauseTable table = causes(detections, score, truth, crowd, overlap, options);
    CHECK(std::vector<std::uint8_t>(table.cause.begin(), table.cause.end()) ==
          std::vector<std::uint8_t>{0, 4, 2, 1, 5});
    CHECK(table.found_by[0] == 0);
    CHECK(table.found_by[1] == -1);
    CHECK(table.mended_by[1] == 2);

    SUBCASE("only the surest of an image are kept") {
        options.max_detections = 2;
        CHECK(causes(detections, score, truth, crowd, overlap, options).row.size() == 2);
    }
    SUBCASE("thresholds out of order and columns of another length are refused") {
        options.background = 0.6;
        CHECK_THROWS_AS(causes(detections, score, truth, crowd, overlap, options), Error);
        options.background = 0.1;
        CHECK_THROWS_AS(causes(detections, std::span(score).first(3), truth, crowd, overlap, options), Error);
    }
}
