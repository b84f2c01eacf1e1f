// Whole numbers of JSON, as ids, sizes and runs are written.
#pragma once

#include <cstdint>

#include "reading/json.hpp"

namespace rapideval::reading {

inline bool number_ahead(const Cursor& cursor) {
    const char c = cursor.peek();
    return c == '-' || (c >= '0' && c <= '9');
}

// An integer of at most 15 digits, written as one; false, and nothing moved, for all else.
inline bool take_common_integer(Cursor& cursor, std::int64_t& value) {
    const char* q = cursor.p;
    if (cursor.end - q < 24) return false;
    const bool negative = *q == '-';
    q += negative;
    std::uint64_t word = detail::load_digits(q);
    int n = detail::leading_digits(word);
    if (n == 0 || (n > 1 && *q == '0')) return false;
    std::uint64_t digits = 0;
    if (n == 8) {
        digits = detail::eight_digits(word);
        q += 8;
        word = detail::load_digits(q);
        n = detail::leading_digits(word);
        if (n == 8) return false;
    }
    if (n != 0) digits = digits * kIntegerPowers[n] + detail::eight_digits(word << (64 - 8 * n));
    q += n;
    if (*q == '.' || *q == 'e' || *q == 'E') return false;
    value = negative ? -static_cast<std::int64_t>(digits) : static_cast<std::int64_t>(digits);
    cursor.p = q;
    return true;
}

// Any integer of 64 bits, in any way of writing it. The cursor stands on a number.
inline bool take_integer(Cursor& cursor, std::int64_t& value) {
    if (take_common_integer(cursor, value)) return true;
    const char* begin = cursor.p;
    Number number;
    if (scan_number(cursor.p, cursor.end, number) != NumberStatus::ok) {
        cursor.p = begin;
        cursor.number();  // throws what is wrong with it
    }
    return to_integer(number, begin, cursor.p, value);
}

}  // namespace rapideval::reading
