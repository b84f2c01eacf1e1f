#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "common/error.hpp"
#include "matching/weighted.hpp"

using namespace rapideval;
using namespace rapideval::matching;

namespace {

// One label, one threshold, one range: a true positive in image 0, a false one in image 1, a true one in image 1.
struct Fixture {
    std::vector<std::int64_t> offsets{0, 3}, limits{100};
    std::vector<double> score{0.9, 0.8, 0.7}, recalls{0.0, 0.5, 1.0};
    std::vector<std::int32_t> rank{0, 0, 1}, image{0, 1, 1}, object_image{0, 1}, object_label{0, 0};
    std::vector<std::uint64_t> matched{1, 0, 1}, ignored{0, 0, 0}, object_ignored{0, 0};

    WeightedDraws run(const std::vector<std::uint16_t>& weights, int threads = 1) const {
        WeightedInput input;
        input.table = {offsets, score, rank, matched, ignored, 1, 1};
        input.image = image;
        input.object_image = object_image;
        input.object_label = object_label;
        input.object_ignored = object_ignored;
        input.recall_thresholds = recalls;
        input.limits = limits;
        input.images = 2;
        input.weights = weights;
        return accumulate_weighted(input, threads);
    }
};

}  // namespace

TEST_CASE("a draw counts each image as often as it was drawn") {
    const auto out = Fixture().run({1, 1, 2, 0, 0, 2, 0, 0});
    CHECK(out.precision[0] == doctest::Approx((1 + 1 + 2.0 / 3) / 3));
    CHECK(out.precision[1] == doctest::Approx(1));
    CHECK(out.precision[2] == doctest::Approx(0.5));
    CHECK(std::isnan(out.precision[3]));
    CHECK(out.recall[0] == 1);
    CHECK(std::isnan(out.recall[3]));
}

TEST_CASE("more draws than lanes, on any number of threads") {
    std::vector<std::uint16_t> weights;
    for (std::uint16_t i = 0; i < 38; ++i) weights.push_back(static_cast<std::uint16_t>(i % 5));
    const auto one = Fixture().run(weights, 1), many = Fixture().run(weights, 3);
    for (std::size_t i = 0; i < 19; ++i) {
        CHECK(
            (one.precision[i] == many.precision[i] || (std::isnan(one.precision[i]) && std::isnan(many.precision[i]))));
    }
}

TEST_CASE("places outside the tables are refused") {
    Fixture fixture;
    fixture.image[2] = 2;
    CHECK_THROWS_AS(fixture.run({1, 1}), Error);
    fixture = Fixture();
    fixture.object_label[0] = 1;
    CHECK_THROWS_AS(fixture.run({1, 1}), Error);
    fixture = Fixture();
    CHECK_THROWS_AS(fixture.run({1, 1, 1}), Error);
}

TEST_CASE("draws with replacement have as many images as there are, whatever part is asked for") {
    const auto all = bootstrap_weights(1, 0, 10, 13, 2), part = bootstrap_weights(1, 4, 3, 13, 1);
    for (std::size_t b = 0; b < 10; ++b) CHECK(std::accumulate(&all[b * 13], &all[b * 13] + 13, 0) == 13);
    for (std::size_t i = 0; i < part.size(); ++i) CHECK(part[i] == all[4 * 13 + i]);
}
