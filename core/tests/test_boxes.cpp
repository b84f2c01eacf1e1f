#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "boxes/survey.hpp"
#include "common/error.hpp"

using namespace rapideval;

TEST_CASE("a survey counts what its rules ask for, the same for any number of threads") {
    std::vector<double> boxes;
    std::vector<std::int32_t> image;
    const std::vector<std::uint32_t> sizes{100, 200, 0, 0};  // height, width; the second image's are not known
    for (int i = 0; i < 200'000; ++i) {
        const double box[4] = {i % 7 * 50.0, 10, i % 3 - 1.0, i % 5 == 0 ? -3.0 : 20};
        boxes.insert(boxes.end(), box, box + 4);
        image.push_back(i % 2);
    }
    std::int64_t corners = 0, outside = 0, positive = 0;
    for (std::size_t i = 0; i < image.size(); ++i) {
        const double* box = &boxes[4 * i];
        corners += box[2] >= box[0] && box[3] >= box[1];
        positive += box[2] > 0 || box[3] > 0;
        outside += image[i] == 0 && (box[0] + box[2] / 2 > 200 || box[0] + box[2] / 2 < 0);
    }
    for (const std::size_t threads : {1u, 2u, 3u}) {
        const auto found = rapideval::boxes::survey(boxes, image, sizes, threads);
        CHECK(found.smallest == -3);
        CHECK(found.largest == 300);
        CHECK(found.positive == positive);
        CHECK(found.corners == corners);
        CHECK(found.outside == outside);
    }
}

TEST_CASE("a survey refuses an image that is not there") {
    const std::vector<double> boxes(4);
    const std::vector<std::uint32_t> sizes{1, 1};
    for (const std::int32_t place : {-1, 1}) {
        const std::vector<std::int32_t> image{place};
        CHECK_THROWS_AS(rapideval::boxes::survey(boxes, image, sizes, 1), Error);
    }
    CHECK_THROWS_AS(rapideval::boxes::survey(boxes, {}, sizes, 1), Error);
}
