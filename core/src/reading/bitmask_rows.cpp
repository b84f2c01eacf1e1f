#include "reading/bitmask_rows.hpp"

#include <bit>
#include <cstring>

#if RAPIDEVAL_X86
#include <immintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>
#endif

namespace rapideval::reading {

namespace {

constexpr std::uint64_t kEven = 0x5555555555555555u;

#if RAPIDEVAL_X86

namespace sse2 {

#define TARGET
#define KERNEL_HAS_PEXT 0

struct Block {
    __m128i part[4];

    void load(const char* p) {
        for (int i = 0; i < 4; ++i) part[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
    }
    static bool same(const char* a, const char* b) {
        __m128i all = _mm_set1_epi8(-1);
        for (int i = 0; i < 4; ++i) {
            const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + 16 * i));
            const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + 16 * i));
            all = _mm_and_si128(all, _mm_cmpeq_epi8(x, y));
        }
        return _mm_movemask_epi8(all) == 0xffff;
    }
    std::uint64_t eq(char c) const {
        const __m128i all = _mm_set1_epi8(c);
        std::uint64_t bits = 0;
        for (int i = 0; i < 4; ++i) {
            const auto found = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(part[i], all)));
            bits |= std::uint64_t{found} << (16 * i);
        }
        return bits;
    }
};

#include "reading/bitmask_row_kernel.inl"

#undef TARGET
#undef KERNEL_HAS_PEXT

}  // namespace sse2

namespace avx2 {

#define TARGET RAPIDEVAL_AVX2
#define KERNEL_HAS_PEXT 1

struct Block {
    __m256i low, high;

    TARGET void load(const char* p) {
        low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
    }
    TARGET static bool same(const char* a, const char* b) {
        Block x, y;
        x.load(a);
        y.load(b);
        const __m256i equal = _mm256_and_si256(_mm256_cmpeq_epi8(x.low, y.low), _mm256_cmpeq_epi8(x.high, y.high));
        return _mm256_movemask_epi8(equal) == -1;
    }
    TARGET std::uint64_t eq(char c) const {
        const __m256i all = _mm256_set1_epi8(c);
        const auto a = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, all)));
        const auto b = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, all)));
        return a | std::uint64_t{b} << 32;
    }
};

#include "reading/bitmask_row_kernel.inl"

#undef TARGET
#undef KERNEL_HAS_PEXT

}  // namespace avx2

#elif defined(__aarch64__) || defined(_M_ARM64)

namespace neon {

#define TARGET
#define KERNEL_HAS_PEXT 0

struct Block {
    uint8x16_t part[4];

    void load(const char* p) {
        for (int i = 0; i < 4; ++i) part[i] = vld1q_u8(reinterpret_cast<const std::uint8_t*>(p + 16 * i));
    }
    static bool same(const char* a, const char* b) {
        Block x, y;
        x.load(a);
        y.load(b);
        uint8x16_t all = vceqq_u8(x.part[0], y.part[0]);
        for (int i = 1; i < 4; ++i) all = vandq_u8(all, vceqq_u8(x.part[i], y.part[i]));
        return vminvq_u8(all) == 0xff;
    }
    std::uint64_t eq(char c) const {
        // One bit of its own for each byte of eight, then three rounds of adding neighbours put 64 bytes
        // into 8.
        const uint8x16_t all = vdupq_n_u8(static_cast<std::uint8_t>(c));
        const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        const uint8x16_t a = vpaddq_u8(vandq_u8(vceqq_u8(part[0], all), bit), vandq_u8(vceqq_u8(part[1], all), bit));
        const uint8x16_t b = vpaddq_u8(vandq_u8(vceqq_u8(part[2], all), bit), vandq_u8(vceqq_u8(part[3], all), bit));
        const uint8x16_t ab = vpaddq_u8(a, b);
        return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(ab, ab)), 0);
    }
};

#include "reading/bitmask_row_kernel.inl"

#undef TARGET
#undef KERNEL_HAS_PEXT

}  // namespace neon

#endif

}  // namespace

RowKernel row_kernel(Simd level) {
#if RAPIDEVAL_X86
    if (level == Simd::kPlain) return nullptr;
    return level == Simd::kAvx2 ? avx2::read_row : sse2::read_row;
#elif defined(__aarch64__) || defined(_M_ARM64)
    return level == Simd::kPlain ? nullptr : neon::read_row;
#else
    (void)level;
    return nullptr;
#endif
}

}  // namespace rapideval::reading
