// Masks as plain byte arrays, for tests: drawn at random, and what the kernels must find in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "masks/rle.hpp"

namespace rapideval::masks::testing {

struct Dense {
    Size size;
    std::vector<std::uint8_t> pixels;  // column-major

    std::uint8_t at(std::size_t x, std::size_t y) const { return pixels[x * size.height + y]; }
};

inline Dense random_dense(std::mt19937& random, Size size, double density) {
    Dense dense{size, std::vector<std::uint8_t>(size.pixels())};
    std::bernoulli_distribution pixel(density);
    for (auto& value : dense.pixels) value = pixel(random);
    return dense;
}

// Foreground in whole rectangles, some cut out again.
inline Dense random_blocks(std::mt19937& random, Size size) {
    Dense dense{size, std::vector<std::uint8_t>(size.pixels())};
    const auto below = [&](std::uint32_t n) { return std::uniform_int_distribution<std::uint32_t>(0, n)(random); };
    for (std::uint32_t block = below(6); block > 0; --block) {
        const std::uint32_t x0 = below(size.width), x1 = below(size.width), y0 = below(size.height),
                            y1 = below(size.height);
        for (std::uint32_t x = x0; x < x1; ++x) {
            for (std::uint32_t y = y0; y < y1; ++y) dense.pixels[std::size_t{x} * size.height + y] ^= 1;
        }
    }
    return dense;
}

inline Dense random_mask(std::mt19937& random, std::uint32_t max_side = 20) {
    std::uniform_int_distribution<std::uint32_t> side(1, max_side);
    const Size size{side(random), side(random)};
    switch (std::uniform_int_distribution<int>(0, 3)(random)) {
        case 0:
            return random_dense(random, size, 0.5);
        case 1:
            return random_dense(random, size, 0.05);
        case 2:
            return random_dense(random, size, 0.97);
        default:
            return random_blocks(random, size);
    }
}

inline std::vector<std::uint32_t> runs_of(const Dense& dense) {
    std::vector<std::uint32_t> runs;
    std::uint8_t value = 0;
    std::uint32_t length = 0;
    for (const std::uint8_t pixel : dense.pixels) {
        if (pixel != value) {
            runs.push_back(length);
            value = pixel;
            length = 0;
        }
        ++length;
    }
    runs.push_back(length);
    return runs;
}

inline Dense dense_of(Runs runs, Size size) {
    Dense dense{size, {}};
    std::uint8_t value = 0;
    for (const std::uint32_t run : runs) {
        dense.pixels.insert(dense.pixels.end(), run, value);
        value ^= 1;
    }
    return dense;
}

}  // namespace rapideval::masks::testing
