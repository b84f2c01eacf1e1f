// Decoding compressed strings with SSSE3 and SSE4.1, eight characters a step.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "masks/rle.hpp"

namespace rapideval::masks {

// As decode(), on a machine with Simd::kSse4. False also for a sound string that it cannot take: runs of 2^31 and more.
bool decode_sse4(std::string_view text, Size size, std::span<std::uint32_t> runs);

}  // namespace rapideval::masks
