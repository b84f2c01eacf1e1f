#include "reading/number.hpp"

#include <cstddef>
#include <limits>
#include <vector>

#include "reading/powers_of_five.hpp"

#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace rapideval::reading {

namespace {

constexpr std::uint64_t kTop = std::uint64_t{1} << 63;
constexpr std::uint64_t kHidden = std::uint64_t{1} << 52;  // the bit of a normal double that is not stored
constexpr int kMaxDigits = 19;                             // any 19 digits fit 64 bits

struct Product {
    std::uint64_t high, low;
};

Product multiply(std::uint64_t a, std::uint64_t b) noexcept {
#if defined(_MSC_VER) && defined(_M_X64)
    Product result;
    result.low = _umul128(a, b, &result.high);
    return result;
#elif defined(__SIZEOF_INT128__)
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
#else
    const std::uint64_t a0 = a & 0xFFFFFFFFu, a1 = a >> 32, b0 = b & 0xFFFFFFFFu, b1 = b >> 32;
    const std::uint64_t low = a0 * b0, mid = a1 * b0 + (low >> 32), mid2 = a0 * b1 + (mid & 0xFFFFFFFFu);
    return {a1 * b1 + (mid >> 32) + (mid2 >> 32), (mid2 << 32) | (low & 0xFFFFFFFFu)};
#endif
}

double from_bits(std::uint64_t bits) noexcept { return std::bit_cast<double>(bits); }

// Non-negative whole numbers of any size, only as far as the exact division below needs them.
class Natural {
  public:
    explicit Natural(std::uint64_t value = 0) {
        if (value != 0) words_.push_back(value);
    }

    void multiply_add(std::uint64_t factor, std::uint64_t addend) {
        for (std::uint64_t& word : words_) {
            Product product = multiply(word, factor);
            product.low += addend;
            addend = product.high + (product.low < addend);
            word = product.low;
        }
        if (addend != 0) words_.push_back(addend);
    }

    void multiply_by_ten_to(std::int64_t power) {
        constexpr std::uint64_t kTenTo19 = 10000000000000000000u;
        for (; power >= kMaxDigits; power -= kMaxDigits) multiply_add(kTenTo19, 0);
        for (; power > 0; --power) multiply_add(10, 0);
    }

    std::int64_t bits() const {
        if (words_.empty()) return 0;
        return static_cast<std::int64_t>(words_.size()) * 64 - std::countl_zero(words_.back());
    }

    void shift_left(std::int64_t bits) {
        if (words_.empty() || bits == 0) return;
        const auto whole = static_cast<std::size_t>(bits / 64);
        const int rest = static_cast<int>(bits % 64);
        if (rest != 0) {
            std::uint64_t carry = 0;
            for (std::uint64_t& word : words_) {
                const std::uint64_t next = word >> (64 - rest);
                word = (word << rest) | carry;
                carry = next;
            }
            if (carry != 0) words_.push_back(carry);
        }
        words_.insert(words_.begin(), whole, 0);
    }

    bool at_least(const Natural& other) const {
        if (words_.size() != other.words_.size()) return words_.size() > other.words_.size();
        for (std::size_t i = words_.size(); i-- > 0;) {
            if (words_[i] != other.words_[i]) return words_[i] > other.words_[i];
        }
        return true;
    }

    // this -= other, which is not larger.
    void subtract(const Natural& other) {
        std::uint64_t borrow = 0;
        for (std::size_t i = 0; i < words_.size(); ++i) {
            const std::uint64_t minus = i < other.words_.size() ? other.words_[i] : 0;
            const std::uint64_t word = words_[i];
            words_[i] = word - minus - borrow;
            borrow = word < minus || (word == minus && borrow != 0);
        }
        while (!words_.empty() && words_.back() == 0) words_.pop_back();
    }

    bool zero() const { return words_.empty(); }

  private:
    std::vector<std::uint64_t> words_;  // least significant first, no leading zeros
};

// A magnitude (top + a fraction of one unit of its last place, `more` telling that it is not 0) * 2^power,
// where top has its highest bit set, as the nearest double.
double round_to_double(std::uint64_t top, bool more, std::int64_t power) noexcept {
    // The exponent of the leading bit, as IEEE 754 counts.
    const std::int64_t exponent = power + 63;
    if (exponent > 1023) return std::numeric_limits<double>::infinity();
    // 53 bits of a normal number, fewer of a subnormal one.
    const std::int64_t drop = exponent >= -1022 ? 11 : 11 + (-1022 - exponent);
    if (drop > 64) return 0.0;
    const std::uint64_t kept = drop == 64 ? 0 : top >> drop;
    const std::uint64_t rest = drop == 64 ? top : top << (64 - drop);
    std::uint64_t mantissa = kept;
    if (rest > kTop || (rest == kTop && (more || (kept & 1) != 0))) ++mantissa;
    // A carry out of the mantissa lands in the exponent field, where it belongs.
    const std::uint64_t field = exponent >= -1022 ? static_cast<std::uint64_t>(exponent + 1022) : 0;
    return from_bits((field << 52) + mantissa);
}

// The text's value by exact division. Digits from the 800th on can only tell a tie from what lies just above
// it (767 digits decide any double), so they are replaced by one non-zero digit: time stays linear.
double divide_out(const char* begin, const char* end) {
    constexpr int kKept = 800;
    Natural numerator;
    std::int64_t kept = 0, exponent = 0;
    bool fraction = false, more = false;
    const char* p = begin;
    for (; p < end; ++p) {
        if (*p == '.') {
            fraction = true;
        } else if (*p >= '0' && *p <= '9') {
            if (kept == 0 && *p == '0') {
                exponent -= fraction;
            } else if (kept < kKept) {
                numerator.multiply_add(10, static_cast<std::uint64_t>(*p - '0'));
                ++kept;
                exponent -= fraction;
            } else {
                more |= *p != '0';
                exponent += !fraction;
            }
        } else if (*p == 'e' || *p == 'E') {
            break;
        }
    }
    if (numerator.zero()) return 0.0;
    if (more) {
        numerator.multiply_add(10, 1);
        --exponent;
    }
    if (p < end) {
        ++p;
        const bool minus = *p == '-';
        if (*p == '-' || *p == '+') ++p;
        std::int64_t written = 0;
        for (; p < end; ++p) {
            if (written < 100'000'000'000'000'000) written = written * 10 + (*p - '0');
        }
        exponent += minus ? -written : written;
    }
    // Far outside of what a double holds, whatever the digits: nothing large is computed.
    if (exponent > 400) return std::numeric_limits<double>::infinity();
    if (exponent + kept < -400) return 0.0;

    Natural denominator(1);
    if (exponent >= 0) {
        numerator.multiply_by_ten_to(exponent);
    } else {
        denominator.multiply_by_ten_to(-exponent);
    }
    // Scale so that the quotient has 64 bits, and find them one by one.
    std::int64_t power = numerator.bits() - denominator.bits() - 63;
    if (power >= 0) {
        denominator.shift_left(power);
    } else {
        numerator.shift_left(-power);
    }
    // Now 2^62 < numerator / denominator < 2^64.
    denominator.shift_left(63);
    if (!numerator.at_least(denominator)) {
        numerator.shift_left(1);
        --power;
    }
    std::uint64_t quotient = 0;
    for (int bit = 0; bit < 64; ++bit) {
        quotient <<= 1;
        if (numerator.at_least(denominator)) {
            numerator.subtract(denominator);
            quotient |= 1;
        }
        numerator.shift_left(1);
    }
    return round_to_double(quotient, !numerator.zero(), power);
}

}  // namespace

bool nearest_double(std::uint64_t digits, std::int64_t exponent, double& value) noexcept {
    if (exponent > kLargestPower) {
        value = std::numeric_limits<double>::infinity();
        return true;
    }
    if (exponent < kSmallestPower) {  // below half of the smallest subnormal, for digits < 2^64
        value = 0.0;
        return true;
    }
    const int zeros = std::countl_zero(digits);
    digits <<= zeros;
    const std::uint64_t* power = kPowersOfFive[exponent - kSmallestPower];
    Product product = multiply(digits, power[0]);
    // Nine bits lie below the 55 that decide the rounding. If all are set, the part that was cut off may
    // carry.
    if ((product.high & 0x1FF) == 0x1FF) {
        const Product second = multiply(digits, power[1]);
        product.low += second.high;
        if (product.low < second.high) ++product.high;
        // Still undecided: the true product may or may not carry (or the power is exact, and it does not).
        if (product.low == ~std::uint64_t{0} && (exponent < -27 || exponent > 55)) return false;
    }
    const int upper = static_cast<int>(product.high >> 63);
    std::uint64_t mantissa = product.high >> (upper + 9);  // 54 bits: 53, and one to round by
    // floor(log2(5^exponent)) from a fixed-point log2(5), plus the exponent itself and the position of the
    // point.
    std::int64_t binary = ((217706 * exponent) >> 16) + 64 + upper - zeros + 1022;
    if (binary <= 0) {
        // Subnormal: fewer bits are kept. No tie is possible, for no power this small is exact.
        const std::int64_t shift = 1 - binary;
        if (shift >= 64) {
            value = 0.0;
            return true;
        }
        mantissa >>= shift;
        mantissa = (mantissa + (mantissa & 1)) >> 1;
        value = from_bits(mantissa);  // a carry to 2^52 is the smallest normal number
        return true;
    }
    // A tie needs a product without remainder, which only small powers give.
    if (product.low <= 1 && exponent >= -4 && exponent <= 23 && (mantissa & 3) == 1 &&
        (mantissa << (upper + 9)) == product.high) {
        mantissa &= ~std::uint64_t{1};
    }
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa == kHidden << 1) {
        mantissa = kHidden;
        ++binary;
    }
    if (binary >= 2047) {
        value = std::numeric_limits<double>::infinity();
        return true;
    }
    value = from_bits((static_cast<std::uint64_t>(binary) << 52) | (mantissa & (kHidden - 1)));
    return true;
}

NumberStatus scan_number(const char*& p, const char* end, Number& number) noexcept {
    number = Number{};
    const auto is_digit = [&](const char* q) { return q < end && static_cast<unsigned char>(*q - '0') <= 9; };
    const auto missing = [&] { return p == end ? NumberStatus::truncated : NumberStatus::not_a_number; };
    int significant = 0;
    const auto take = [&](bool fraction) {
        const int digit = *p - '0';
        if (significant < kMaxDigits) {
            number.digits = number.digits * 10 + static_cast<std::uint64_t>(digit);
            significant += significant > 0 || digit != 0;
            number.exponent -= fraction;
        } else {
            number.cut |= digit != 0;
            number.exponent += !fraction;
        }
        ++p;
    };

    if (p < end && *p == '-') {
        number.negative = true;
        ++p;
    }
    if (!is_digit(p)) return missing();
    if (*p == '0') {
        ++p;
        if (is_digit(p)) return NumberStatus::not_a_number;  // a leading zero
    } else {
        while (is_digit(p)) take(false);
    }
    number.whole = true;
    if (p < end && *p == '.') {
        number.whole = false;
        ++p;
        if (!is_digit(p)) return missing();
        while (is_digit(p)) take(true);
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        number.whole = false;
        ++p;
        const bool minus = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+')) ++p;
        if (!is_digit(p)) return missing();
        std::int64_t written = 0;
        for (; is_digit(p); ++p) {
            if (written < 100'000'000'000'000'000) written = written * 10 + (*p - '0');
        }
        number.exponent += minus ? -written : written;
    }
    return NumberStatus::ok;
}

double to_double(const Number& number, const char* begin, const char* end) {
    double magnitude = 0.0;
    if (number.digits == 0) {
        magnitude = 0.0;
    } else if (!number.cut && number.digits <= kHidden << 1 && number.exponent >= -22 && number.exponent <= 22) {
        magnitude = static_cast<double>(number.digits);
        magnitude = number.exponent < 0 ? magnitude / kExactPowers[-number.exponent]
                                        : magnitude * kExactPowers[number.exponent];
    } else {
        double next = 0.0;
        const bool decided =
            nearest_double(number.digits, number.exponent, magnitude) &&
            (!number.cut || (nearest_double(number.digits + 1, number.exponent, next) && next == magnitude));
        if (!decided) magnitude = divide_out(begin, end);
    }
    return number.negative ? -magnitude : magnitude;
}

bool to_integer(const Number& number, const char* begin, const char* end, std::int64_t& value) noexcept {
    std::uint64_t magnitude = number.digits;
    if (!number.whole && magnitude != 0) {
        // 7.0 and 7e2: bring the point to the end, exactly.
        if (number.cut) return false;
        std::int64_t exponent = number.exponent;
        for (; exponent < 0; ++exponent) {
            if (magnitude % 10 != 0) return false;
            magnitude /= 10;
        }
        for (; exponent > 0; --exponent) {
            if (magnitude > std::numeric_limits<std::uint64_t>::max() / 10) return false;
            magnitude *= 10;
        }
    } else if (number.whole) {
        // No integer of 64 bits has over 19 digits.
        if (end - begin - number.negative > kMaxDigits) return false;
    }
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (magnitude > kLargest + number.negative) return false;
    value = number.negative ? static_cast<std::int64_t>(~magnitude + 1) : static_cast<std::int64_t>(magnitude);
    return true;
}

}  // namespace rapideval::reading
