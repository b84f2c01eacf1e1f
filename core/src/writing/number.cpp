#include "writing/number.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rapideval::writing {

namespace {

constexpr double kWholeLimit = 1e16;  // every whole double below is written digit by digit
constexpr double kFixedFrom = 1e-4;   // below, Python's repr changes to an exponent

#if defined(__cpp_lib_to_chars) || defined(_MSC_VER) || (defined(__GLIBCXX__) && _GLIBCXX_RELEASE >= 11)

char* write_shortest(char* out, double value, bool fixed) {
    const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
    return std::to_chars(out, out + kNumberLength, value, format).ptr;
}

#else  // a standard library without to_chars for doubles: the first precision that reads back

char* write_shortest(char* out, double value, bool fixed) {
    char digits[kNumberLength + 1];
    for (int precision = 0; precision < 17; ++precision) {
        std::snprintf(digits, sizeof digits, "%.*e", precision, value);
        if (std::strtod(digits, nullptr) == value) break;
    }
    char* exponent_at = std::strchr(digits, 'e');
    const int exponent = std::atoi(exponent_at + 1);
    if (fixed) {
        const int fraction = static_cast<int>(exponent_at - digits) - (value < 0 ? 1 : 0) - 2 - exponent;
        std::snprintf(digits, sizeof digits, "%.*f", fraction > 0 ? fraction : 0, value);
    }
    for (char* c = digits; *c != 0; ++c) *out++ = *c == ',' ? '.' : *c;  // whatever the locale's point is
    return out;
}

#endif

}  // namespace

char* write_integer(char* out, std::int64_t value) { return std::to_chars(out, out + kNumberLength, value).ptr; }

char* write_float(char* out, double value) {
    const double magnitude = std::fabs(value);
    if (magnitude < kWholeLimit && value == std::floor(value)) {
        if (value != 0 || !std::signbit(value)) return write_integer(out, static_cast<std::int64_t>(value));
        std::memcpy(out, "-0.0", 4);
        return out + 4;
    }
    return write_shortest(out, value, magnitude >= kFixedFrom && magnitude < kWholeLimit);
}

}  // namespace rapideval::writing
