// Dense masks, one byte a pixel, to runs and back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/cpu.hpp"
#include "masks/rle.hpp"

namespace rapideval::masks {

// N masks of H x W bytes; strides in bytes, of any sign.
struct DenseMasks {
    const std::uint8_t* pixels;
    std::array<std::size_t, 3> shape;
    std::array<std::ptrdiff_t, 3> strides;
};

// Throws "mask-size" or "mask-value" (a byte that is neither 0 nor 1).
RaggedRuns from_dense(const DenseMasks& masks, std::size_t threads, Simd level = simd());

enum class Order { kRowMajor, kColumnMajor };

// All masks are of one size (else "mask-size"). `pixels` has room for all of them, one after another, and is all 0.
void to_dense(const MaskSet& set, Order order, std::uint8_t* pixels, std::size_t threads);

}  // namespace rapideval::masks
