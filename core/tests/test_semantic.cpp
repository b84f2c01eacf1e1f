#include <doctest/doctest.h>

#include "common/error.hpp"
#include "semantic/confusion.hpp"

using namespace rapideval;
using semantic::Side;

namespace {

// Masks of one 1 x 10 image, as run lengths.
struct Fixture {
    std::vector<std::uint32_t> counts;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::uint32_t> sizes;
    std::vector<std::int32_t> image, label;
    std::vector<std::uint8_t> ignore;

    Fixture& add(std::int32_t label_of, std::vector<std::uint32_t> runs, bool ignored = false) {
        counts.insert(counts.end(), runs.begin(), runs.end());
        offsets.push_back(static_cast<std::int64_t>(counts.size()));
        sizes.insert(sizes.end(), {1, 10});
        image.push_back(0);
        label.push_back(label_of);
        ignore.push_back(ignored ? 1 : 0);
        return *this;
    }
    Side side() const { return {{counts, offsets, sizes}, image, label, ignore}; }
};

const std::vector<std::uint32_t> kSize{1, 10};

}  // namespace

TEST_CASE("every pixel is counted once, with what is seen on both sides") {
    Fixture truth, predicted;
    truth.add(0, {0, 4, 6}).add(1, {6, 4});
    predicted.add(1, {2, 6, 2});
    const auto result = semantic::compare(kSize, truth.side(), predicted.side(), 2, false, 1);
    // truth: 0000..1111, predicted: ..111111..
    CHECK(result.confusion == std::vector<std::int64_t>{0, 2, 2, 0, 2, 2, 0, 2, 0});
    CHECK(result.label == std::vector<std::int32_t>{0, 1, 2});
    CHECK(result.truth == std::vector<std::int64_t>{4, 4, 2});
    CHECK(result.predicted == std::vector<std::int64_t>{0, 6, 4});
    CHECK(result.intersection == std::vector<std::int64_t>{0, 2, 0});
}

TEST_CASE("a later mask covers an earlier one, and what is covered is counted") {
    Fixture truth, predicted;
    truth.add(0, {0, 10});
    predicted.add(0, {0, 10}).add(1, {5, 5});
    const auto result = semantic::compare(kSize, truth.side(), predicted.side(), 2, false, 1);
    CHECK(result.confusion == std::vector<std::int64_t>{5, 5, 0, 0, 0, 0, 0, 0, 0});
    CHECK(result.covered == std::vector<std::int64_t>{0, 5});
}

TEST_CASE("ignored pixels are in no count, also where ignored regions overlap or touch") {
    Fixture truth, predicted;
    truth.add(0, {0, 10}).add(0, {2, 4, 4}, true).add(0, {4, 4, 2}, true);
    predicted.add(0, {0, 10});
    const auto result = semantic::compare(kSize, truth.side(), predicted.side(), 1, false, 1);
    CHECK(result.ignored == std::vector<std::int64_t>{6});
    CHECK(result.intersection == std::vector<std::int64_t>{4});
}

TEST_CASE("pixels without a label in the ground truth can be left out") {
    Fixture truth, predicted;
    truth.add(0, {2, 4, 4});
    predicted.add(0, {0, 10});
    const auto result = semantic::compare(kSize, truth.side(), predicted.side(), 1, true, 1);
    CHECK(result.ignored == std::vector<std::int64_t>{6});
    CHECK(result.confusion == std::vector<std::int64_t>{4, 0, 0, 0});
}

TEST_CASE("rows out of order, unknown labels and masks of another size are refused") {
    Fixture truth, predicted;
    truth.add(3, {0, 10});
    CHECK_THROWS_AS(semantic::compare(kSize, truth.side(), predicted.side(), 2, false, 1), Error);
    truth.label[0] = 0;
    CHECK_NOTHROW(semantic::compare(kSize, truth.side(), predicted.side(), 2, false, 1));
    truth.image[0] = 1;
    CHECK_THROWS_AS(semantic::compare(kSize, truth.side(), predicted.side(), 2, false, 1), Error);
    truth.image[0] = 0;
    const std::vector<std::uint32_t> swapped{10, 1};
    CHECK_THROWS_AS(semantic::compare(swapped, truth.side(), predicted.side(), 2, false, 1), Error);
}
