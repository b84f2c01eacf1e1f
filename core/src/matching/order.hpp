// Stable orders by falling score.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace rapideval::matching {

// Rises as the score falls; equal for equal scores (0.0 and -0.0 are equal). The score must not be NaN.
inline std::uint64_t falling_key(double score) {
    const auto bits = std::bit_cast<std::uint64_t>(score + 0.0);  // -0.0 + 0.0 is 0.0
    const std::uint64_t rising = bits >> 63 ? ~bits : bits | (std::uint64_t{1} << 63);
    return ~rising;
}

// Scratch memory of rising_order, kept by the caller from one call to the next.
struct OrderScratch {
    std::vector<std::uint64_t> items, moved;
    std::vector<std::uint32_t> bins;
};

// The stable order in which the keys rise: order[i] is the position of the i-th smallest. At most 2^32 keys.
void rising_order(std::span<const std::uint64_t> keys, std::span<std::uint32_t> order, OrderScratch& scratch);

}  // namespace rapideval::matching
