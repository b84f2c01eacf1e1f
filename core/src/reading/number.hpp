// JSON numbers: exact integers, and doubles rounded as IEEE 754 asks (so equal to Python's float).
//
// A number is taken up eight digits at a time. Where its digits fit 53 bits and its power of ten is small,
// one multiplication or division of two exact doubles rounds correctly (W. D. Clinger, 1990). The others
// take one or two 64 x 64 bit products with a power of five (D. Lemire, 2021), and the few that this leaves
// undecided, or that have over 19 digits and lie at a border, are divided out in whole numbers.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace rapideval::reading {

struct Number {
    std::uint64_t digits = 0;   // the significant digits as a whole number, the first 19 of them
    std::int64_t exponent = 0;  // value = digits * 10^exponent
    bool negative = false;
    bool whole = false;  // written without fraction and exponent
    bool cut = false;    // there were more than 19 significant digits: `digits` is cut off
};

enum class NumberStatus { ok, not_a_number, truncated };

// Reads the number at p (the grammar of RFC 8259, section 6) and moves p behind it, or, if there is none, to
// the byte that does not fit. Never reads at or beyond end.
NumberStatus scan_number(const char*& p, const char* end, Number& number) noexcept;

// The double nearest to the number whose text is [begin, end); infinity beyond the largest.
double to_double(const Number& number, const char* begin, const char* end);

// The exact value if it is an integer of 64 bits (also 7.0 and 7e2); false otherwise.
bool to_integer(const Number& number, const char* begin, const char* end, std::int64_t& value) noexcept;

// 10^0 ... 10^22 are exact in a double.
inline constexpr double kExactPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                          1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
inline constexpr std::uint64_t kIntegerPowers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

namespace detail {

// The number of leading bytes of a little-endian word that are digits, given word ^ 0x3030...
inline int leading_digits(std::uint64_t x) noexcept {
    // A byte is 0 to 9 exactly if neither it nor it + 6 has a bit above the low four.
    const std::uint64_t other = (x | (x + 0x0606060606060606u)) & 0xF0F0F0F0F0F0F0F0u;
    return std::countr_zero(other) / 8;
}

// The value of eight digits of which the first (lowest byte) counts most.
inline std::uint64_t eight_digits(std::uint64_t x) noexcept {
    x = x * 10 + (x >> 8);
    return (((x & 0x000000FF000000FFu) * 0x000F424000000064u) +
            (((x >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u)) >>
           32;
}

inline std::uint64_t load_digits(const char* p) noexcept {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    static_assert(std::endian::native == std::endian::little, "digits are read as little-endian words");
    return word ^ 0x3030303030303030u;
}

}  // namespace detail

// The double nearest to digits * 10^exponent; nothing where the method cannot tell. digits != 0.
bool nearest_double(std::uint64_t digits, std::int64_t exponent, double& value) noexcept;

// The common numbers inline: no exponent, at most 19 digits, and enough bytes behind to look at eight at a
// time. Returns false, p where it was, if the number is of another kind (or none at all).
inline bool scan_common_double(const char*& p, const char* end, double& value) noexcept {
    const char* q = p;
    if (end - q < 48) return false;
    const bool negative = *q == '-';
    q += negative;
    std::uint64_t word = detail::load_digits(q);
    const int before = detail::leading_digits(word);
    if (before == 0 || before == 8 || (before > 1 && *q == '0')) return false;
    std::uint64_t digits = detail::eight_digits(word << (64 - 8 * before));
    q += before;
    int after = 0;
    if (*q == '.') {
        ++q;
        word = detail::load_digits(q);
        int n = detail::leading_digits(word);
        if (n == 0) return false;
        while (n == 8) {
            digits = digits * kIntegerPowers[8] + detail::eight_digits(word);
            q += 8;
            after += 8;
            if (before + after > 19) return false;
            word = detail::load_digits(q);
            n = detail::leading_digits(word);
        }
        if (n != 0) {
            digits = digits * kIntegerPowers[n] + detail::eight_digits(word << (64 - 8 * n));
            q += n;
            after += n;
            if (before + after > 19) return false;
        }
    }
    if (*q == 'e' || *q == 'E') return false;
    double magnitude;
    if (digits <= (std::uint64_t{1} << 53)) {
        magnitude = static_cast<double>(digits) / kExactPowers[after];
    } else if (!nearest_double(digits, -after, magnitude)) {
        return false;
    }
    value = negative ? -magnitude : magnitude;
    p = q;
    return true;
}

}  // namespace rapideval::reading
