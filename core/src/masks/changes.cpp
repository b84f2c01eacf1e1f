#include "masks/changes.hpp"

#include <bit>
#include <cstring>

#if RAPIDEVAL_X86
#include <immintrin.h>
#endif

namespace rapideval::masks {

namespace {

constexpr std::size_t kBlock = 64;

// Appends first + the number of each set bit. Four at a time without asking whether so many are set: a loop that
// ends after one bit or two would be mispredicted at nearly every block.
inline void append(std::uint64_t bits, std::uint32_t first, Changes& changes) {
    if (bits == 0) return;
    const int count = std::popcount(bits);
    std::uint32_t* out = changes.end;
    changes.end += count;
    for (int written = 0; written < count; written += 4) {
        for (int i = 0; i < 4; ++i) {
            *out++ = first + static_cast<std::uint32_t>(std::countr_zero(bits));
            bits &= bits - 1;
        }
    }
}

// One bit for each of 8 bytes that is not 0.
inline std::uint64_t nonzero(std::uint64_t bytes) {
    constexpr std::uint64_t low = 0x7f7f'7f7f'7f7f'7f7f;
    const std::uint64_t high_bits = (((bytes & low) + low) | bytes) & ~low;
    return ((high_bits >> 7) * 0x0102'0408'1020'4080) >> 56;
}

inline std::uint8_t fold(std::uint64_t seen) {
    seen |= seen >> 32;
    seen |= seen >> 16;
    return static_cast<std::uint8_t>(seen | seen >> 8);
}

// What is left of a row after its whole blocks, and all of a narrow row.
inline void find_tail(const std::uint8_t* above, const std::uint8_t* row, std::size_t n, std::uint32_t first,
                      Changes& changes) {
    std::uint64_t bits = 0, seen = 0;
    for (std::size_t i = 0; i < n; i += 8) {
        std::uint64_t a = 0, b = 0;
        if (n - i >= 8) {
            std::memcpy(&a, above + i, 8);
            std::memcpy(&b, row + i, 8);
        } else {
            std::memcpy(&a, above + i, n - i);
            std::memcpy(&b, row + i, n - i);
        }
        seen |= b;
        bits |= nonzero(a ^ b) << i;
    }
    changes.seen |= fold(seen);
    append(bits, first, changes);
}

void find_plain(const std::uint8_t* above, const std::uint8_t* row, std::size_t n, std::uint32_t first,
                Changes& changes) {
    std::size_t i = 0;
    std::uint64_t seen = 0;
    for (; i + kBlock <= n; i += kBlock) {
        std::uint64_t words[8], differ = 0;
        for (std::size_t k = 0; k < 8; ++k) {
            std::uint64_t a, b;
            std::memcpy(&a, above + i + 8 * k, 8);
            std::memcpy(&b, row + i + 8 * k, 8);
            seen |= b;
            words[k] = a ^ b;
            differ |= words[k];
        }
        if (differ == 0) continue;
        std::uint64_t bits = 0;
        for (std::size_t k = 0; k < 8; ++k) bits |= nonzero(words[k]) << 8 * k;
        append(bits, first + static_cast<std::uint32_t>(i), changes);
    }
    changes.seen |= fold(seen);
    find_tail(above + i, row + i, n - i, first + static_cast<std::uint32_t>(i), changes);
}

#if RAPIDEVAL_X86

void find_sse2(const std::uint8_t* above, const std::uint8_t* row, std::size_t n, std::uint32_t first,
               Changes& changes) {
    std::size_t i = 0;
    __m128i seen = _mm_setzero_si128();
    for (; i + kBlock <= n; i += kBlock) {
        std::uint64_t equal = 0;
        for (std::size_t k = 0; k < kBlock; k += 16) {
            const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(above + i + k));
            const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i + k));
            seen = _mm_or_si128(seen, b);
            equal |= std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)))} << k;
        }
        append(~equal, first + static_cast<std::uint32_t>(i), changes);
    }
    std::uint8_t bytes[16];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), seen);
    for (const std::uint8_t byte : bytes) changes.seen |= byte;
    find_tail(above + i, row + i, n - i, first + static_cast<std::uint32_t>(i), changes);
}

RAPIDEVAL_AVX2 inline __m256i load_avx2(const std::uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

RAPIDEVAL_AVX2 void find_avx2(const std::uint8_t* above, const std::uint8_t* row, std::size_t n, std::uint32_t first,
                              Changes& changes) {
    std::size_t i = 0;
    __m256i seen = _mm256_setzero_si256();
    for (; i + kBlock <= n; i += kBlock) {
        const __m256i low = load_avx2(row + i), high = load_avx2(row + i + 32);
        seen = _mm256_or_si256(seen, _mm256_or_si256(low, high));
        const auto equal_low =
            static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(load_avx2(above + i), low)));
        const auto equal_high =
            static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(load_avx2(above + i + 32), high)));
        append(~(std::uint64_t{equal_high} << 32 | equal_low), first + static_cast<std::uint32_t>(i), changes);
    }
    std::uint8_t bytes[32];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(bytes), seen);
    for (const std::uint8_t byte : bytes) changes.seen |= byte;
    find_tail(above + i, row + i, n - i, first + static_cast<std::uint32_t>(i), changes);
}

#endif

}  // namespace

FindChanges find_changes(Simd level) {
#if RAPIDEVAL_X86
    if (level >= Simd::kAvx2) return find_avx2;
    if (level >= Simd::kSse2) return find_sse2;
#else
    static_cast<void>(level);
#endif
    return find_plain;
}

}  // namespace rapideval::masks
