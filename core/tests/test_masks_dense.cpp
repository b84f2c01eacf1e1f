#include <doctest/doctest.h>

#include "common/error.hpp"
#include "masks/changes.hpp"
#include "masks/dense.hpp"
#include "masks_help.hpp"

using namespace rapideval;
using namespace rapideval::masks;
using namespace rapideval::masks::testing;

namespace {

std::vector<Simd> levels() {
    std::vector<Simd> found;
    for (const Simd level : {Simd::kPlain, Simd::kSse2, Simd::kSse4, Simd::kAvx2}) {
        if (level <= simd()) found.push_back(level);
    }
    return found;
}

}  // namespace

TEST_CASE("every variant finds the same changes and values") {
    std::mt19937 random(5);
    for (int round = 0; round < 3000; ++round) {
        const std::size_t n = std::uniform_int_distribution<std::size_t>(0, 400)(random);
        const double density = round % 3 == 0 ? 0.01 : round % 3 == 1 ? 0.5 : 0.99;
        std::bernoulli_distribution change(density);
        // Exactly n bytes each, so that the sanitizer sees any access beyond.
        std::vector<std::uint8_t> above(n), row(n);
        std::uint8_t all = 0;
        std::vector<std::uint32_t> expected;
        for (std::size_t i = 0; i < n; ++i) {
            above[i] = static_cast<std::uint8_t>(random() & 1);
            row[i] =
                static_cast<std::uint8_t>(round % 5 == 0 && random() % 50 == 0 ? random() : above[i] ^ change(random));
            all |= row[i];
            if (above[i] != row[i]) expected.push_back(1000 + static_cast<std::uint32_t>(i));
        }
        for (const Simd level : levels()) {
            std::vector<std::uint32_t> found(n + kChangesSlack);
            Changes changes{found.data()};
            find_changes(level)(above.data(), row.data(), n, 1000, changes);
            found.resize(static_cast<std::size_t>(changes.end - found.data()));
            CHECK(found == expected);
            CHECK(changes.seen == all);
        }
    }
}

TEST_CASE("dense masks of both orders give their runs and come back") {
    std::mt19937 random(6);
    for (int round = 0; round < 600; ++round) {
        const Dense dense = random_mask(random, round % 2 == 0 ? 20 : 150);
        const Size size = dense.size;
        std::vector<std::uint8_t> rows(dense.pixels.size());
        for (std::uint32_t x = 0; x < size.width; ++x) {
            for (std::uint32_t y = 0; y < size.height; ++y) rows[std::size_t{y} * size.width + x] = dense.at(x, y);
        }
        const auto expected = runs_of(dense);
        for (const Simd level : levels()) {
            CHECK(from_dense({dense.pixels.data(),
                              {1, size.height, size.width},
                              {0, 1, static_cast<std::ptrdiff_t>(size.height)}},
                             1, level)
                      .counts == expected);
            CHECK(
                from_dense({rows.data(), {1, size.height, size.width}, {0, static_cast<std::ptrdiff_t>(size.width), 1}},
                           1, level)
                    .counts == expected);
        }
        const std::vector<std::int64_t> offsets{0, static_cast<std::int64_t>(expected.size())};
        const std::vector<std::uint32_t> sizes{size.height, size.width};
        std::vector<std::uint8_t> painted(dense.pixels.size());
        to_dense({expected, offsets, sizes}, Order::kColumnMajor, painted.data(), 1);
        CHECK(painted == dense.pixels);
        std::fill(painted.begin(), painted.end(), std::uint8_t{0});
        to_dense({expected, offsets, sizes}, Order::kRowMajor, painted.data(), 1);
        CHECK(painted == rows);
    }
}
