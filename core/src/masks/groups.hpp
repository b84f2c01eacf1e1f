// The characters of COCO's compressed strings, eight at a time in one 64-bit word.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace rapideval::masks {

static_assert(std::endian::native == std::endian::little, "characters are read and written eight at a time");

inline constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
inline constexpr unsigned kMaxGroups = 7;  // 35 bits hold every difference of two 32-bit runs

inline std::uint64_t load(const char* text) {
    std::uint64_t word;
    std::memcpy(&word, text, sizeof word);
    return word;
}

// In every byte c of valid text, c + 16 has the group in bits 0 to 4, "more follows" in bit 5, and 01 above.
inline std::uint64_t shifted(std::uint64_t word) { return word + 0x10 * kOnes; }

// One bit for each byte, in order, from the lowest bit of the bytes.
inline std::uint64_t gather(std::uint64_t bits) { return ((bits & kOnes) * 0x0102'0408'1020'4080) >> 56; }

// The signed number in the first `groups` (1 to 8) bytes of shifted text.
inline std::int64_t number(std::uint64_t groups_at, unsigned groups) {
    std::uint64_t x = groups_at;
    x = (x & 0x001f'001f'001f'001f) | (x >> 3 & 0x03e0'03e0'03e0'03e0);
    x = (x & 0x0000'03ff'0000'03ff) | (x >> 6 & 0x000f'fc00'000f'fc00);
    x = (x & 0x0000'0000'000f'ffff) | (x >> 12 & 0x0000'00ff'fff0'0000);
    const unsigned unused = 64 - 5 * groups;
    return static_cast<std::int64_t>(x << unused) >> unused;
}

// Bytes of a word that are no character of such a string, a bit in each.
inline std::uint64_t foreign(std::uint64_t word) {
    return (word & 0x80 * kOnes) | ((shifted(word) & 0xc0 * kOnes) ^ 0x40 * kOnes);
}

}  // namespace rapideval::masks
