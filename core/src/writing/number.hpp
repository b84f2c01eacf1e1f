// Numbers as text: the fewest digits that read back as the same number.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rapideval::writing {

// No number needs more: sign, 17 digits, point, exponent; or up to 4 zeros before the digits.
inline constexpr std::size_t kNumberLength = 32;

// Both write at `out`, which has room for kNumberLength, and give the end.
char* write_integer(char* out, std::int64_t value);

// As Python's repr, but whole numbers below 1e16 without ".0". The value is finite.
char* write_float(char* out, double value);

}  // namespace rapideval::writing
