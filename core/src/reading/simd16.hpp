// Sixteen bytes at a time, with what every 64-bit machine has (SSE2, NEON), and a plain form for all others.
// Kernels for wider instructions, chosen at run time, are in bitmask_*.cpp.
#pragma once

#include <bit>
#include <cstdint>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define RAPIDEVAL_SSE2 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>
#define RAPIDEVAL_NEON 1
#endif

namespace rapideval::reading {

// A byte at which a plain run of string characters stops: the quote, an escape, a control character,
// non-ASCII.
inline bool ends_plain_text(char c) noexcept {
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x80;
}

inline bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The first byte of [p, end) at which plain text stops, or end.
inline const char* skip_plain_text(const char* p, const char* end) noexcept {
#if defined(RAPIDEVAL_SSE2)
    for (; end - p >= 16; p += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        // Compared as signed numbers, non-ASCII bytes are below 0x20 too.
        const __m128i stop = _mm_or_si128(
            _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
        const auto found = static_cast<unsigned>(_mm_movemask_epi8(stop));
        if (found != 0) return p + std::countr_zero(found);
    }
#elif defined(RAPIDEVAL_NEON)
    for (; end - p >= 16; p += 16) {
        const int8x16_t bytes = vld1q_s8(reinterpret_cast<const std::int8_t*>(p));
        const uint8x16_t stop = vorrq_u8(vcltq_s8(bytes, vdupq_n_s8(0x20)),
                                         vorrq_u8(vceqq_s8(bytes, vdupq_n_s8('"')), vceqq_s8(bytes, vdupq_n_s8('\\'))));
        const std::uint64_t found = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(stop), 4)), 0);
        if (found != 0) return p + std::countr_zero(found) / 4;
    }
#endif
    while (p < end && !ends_plain_text(*p)) ++p;
    return p;
}

// The first byte of [p, end) that is not white space, or end.
inline const char* skip_spaces(const char* p, const char* end) noexcept {
    if (p == end || !is_space(*p)) return p;
    ++p;
    if (p == end || !is_space(*p)) return p;
#if defined(RAPIDEVAL_SSE2)
    for (; end - p >= 16; p += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i space = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))),
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'))));
        const auto other = static_cast<unsigned>(_mm_movemask_epi8(space)) ^ 0xFFFFu;
        if (other != 0) return p + std::countr_zero(other);
    }
#endif
    while (p < end && is_space(*p)) ++p;
    return p;
}

}  // namespace rapideval::reading
