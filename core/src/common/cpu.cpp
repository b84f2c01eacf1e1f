#include "common/cpu.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#if RAPIDEVAL_X86 && defined(_MSC_VER) && !defined(__clang__)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace rapideval {

namespace {

Simd detect() {
#if !RAPIDEVAL_X86
    return Simd::kPlain;
#elif defined(__GNUC__) || defined(__clang__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        return Simd::kAvx2;
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt")) return Simd::kSse4;
    return Simd::kSse2;
#else
    int info[4];
    __cpuid(info, 0);
    const int leaves = info[0];
    __cpuid(info, 1);
    const bool sse4 = (info[2] & (1 << 20)) != 0 && (info[2] & (1 << 23)) != 0;
    const bool avx = (info[2] & (1 << 27)) != 0 && (info[2] & (1 << 28)) != 0 && (_xgetbv(0) & 6) == 6;
    if (leaves >= 7) __cpuidex(info, 7, 0);
    const bool avx2 =
        leaves >= 7 && (info[1] & (1 << 5)) != 0 && (info[1] & (1 << 3)) != 0 && (info[1] & (1 << 8)) != 0;
    if (avx && avx2) return Simd::kAvx2;
    return sse4 ? Simd::kSse4 : Simd::kSse2;
#endif
}

Simd allowed() {
    const char* wish = std::getenv("RAPIDEVAL_SIMD");
    const std::string_view name = wish == nullptr ? "" : wish;
    if (name == "plain") return Simd::kPlain;
    if (name == "sse2") return Simd::kSse2;
    if (name == "sse4") return Simd::kSse4;
    return Simd::kAvx2;
}

}  // namespace

Simd simd() {
    static const Simd level = std::min(detect(), allowed());
    return level;
}

}  // namespace rapideval
