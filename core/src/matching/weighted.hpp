// AP and AR of many weighted draws of the images, over one match table: no new sort, no new matching.
//
// The hot loop, and why it is one: docs/performance.md, "Resampling".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/buffer.hpp"
#include "matching/accumulate.hpp"

namespace rapideval::matching {

struct WeightedInput {
    TableView table;
    std::span<const std::int32_t> image;  // (D,)
    // The objects: image and label (block of rows of the table), and bit a: does not count in area range a.
    std::span<const std::int32_t> object_image, object_label;
    std::span<const std::uint64_t> object_ignored;
    std::span<const double> recall_thresholds;  // (R,) rising
    std::span<const std::int64_t> limits;       // (M,) rising; a detection counts under one if its rank is below it
    std::size_t images = 0;
    // (B, I): how often each image counts in each draw; what a draw adds up to for one label stays below 2^31.
    std::span<const std::uint16_t> weights;
};

struct WeightedDraws {
    Buffer<double> precision;  // (B, K, A, T): AP under the last limit
    Buffer<double>
        recall;  // (B, K, A + M - 1, T): by area range under the last limit, then the range 0 under the others
    // NaN where no object counts in the draw.
};

WeightedDraws accumulate_weighted(const WeightedInput& input, int threads);

// Draws of `images` images with replacement: how often each was drawn, (draws, images). Draw b of a seed is the
// same whatever `first` and however many are made at once.
Buffer<std::uint16_t> bootstrap_weights(std::uint64_t seed, std::size_t first, std::size_t draws, std::size_t images,
                                        int threads);

// Fair coins: 0 or 1 for each draw and image, (draws, images), by the same rule.
Buffer<std::uint8_t> coin_flips(std::uint64_t seed, std::size_t first, std::size_t draws, std::size_t images,
                                int threads);

}  // namespace rapideval::matching
