// Which vector instructions a kernel may use, asked at run time: one build serves every machine.
//
// A kernel with variants has one for kPlain (any machine) and one for some of the other levels, all giving the same
// bits; it takes the best not above simd(). Its tests run every variant the machine has.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#define RAPIDEVAL_X86 1
#else
#define RAPIDEVAL_X86 0
#endif

// Before a function that uses instructions beyond the baseline; inlined helpers need it too.
#if RAPIDEVAL_X86 && (defined(__GNUC__) || defined(__clang__))
#define RAPIDEVAL_SSE4 __attribute__((target("ssse3,sse4.1,sse4.2,popcnt")))
#define RAPIDEVAL_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#else
#define RAPIDEVAL_SSE4
#define RAPIDEVAL_AVX2
#endif

namespace rapideval {

enum class Simd {
    kPlain,
    kSse2,  // every x86-64
    kSse4,  // SSSE3, SSE4.1, SSE4.2, POPCNT
    kAvx2,  // AVX2, BMI1, BMI2, POPCNT
};

// The best level of this machine. RAPIDEVAL_SIMD in the environment (plain, sse2, sse4, avx2) lowers it.
Simd simd();

}  // namespace rapideval
