"""Write powers_of_five.hpp: the 128 leading bits of every power of five a double can need.

Run it as ``python core/src/reading/make_powers_of_five.py > core/src/reading/powers_of_five.hpp``;
tests/core/test_reading_numbers.py checks that the header is what this prints.
"""

SMALLEST, LARGEST = -342, 308

HEAD = """\
// Made by make_powers_of_five.py: do not edit.
// clang-format off
//
// Entry q - kSmallestPower holds the 128 most significant bits of 5^q, high word first. For q >= 0 they are
// cut off, for q < 0 (a reciprocal that no finite number of bits can hold) rounded up, as the method asks
// (D. Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51(8), 2021).
#pragma once

#include <cstdint>

namespace rapideval::reading {

inline constexpr int kSmallestPower = -342;
inline constexpr int kLargestPower = 308;

inline constexpr std::uint64_t kPowersOfFive[][2] = {"""

TAIL = """\
};

}  // namespace rapideval::reading"""


def leading_bits(q: int) -> int:
    """The 128 bits of entry q as one integer."""
    if q >= 0:
        power = 5**q
        shift = power.bit_length() - 128
        return power >> shift if shift >= 0 else power << -shift
    power = 5**-q
    scaled = 1 << (power.bit_length() + 127)
    return -(-scaled // power)


def header() -> str:
    """The whole header."""
    rows = []
    for q in range(SMALLEST, LARGEST + 1):
        bits = leading_bits(q)
        rows.append(f"    {{0x{bits >> 64:016x}, 0x{bits & (2**64 - 1):016x}}},")
    return "\n".join([HEAD, *rows, TAIL])


if __name__ == "__main__":
    print(header())
