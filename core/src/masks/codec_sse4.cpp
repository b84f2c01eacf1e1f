// How it works: in eight characters, the bits "more follows" make a byte, and the byte tells where numbers end. A table
// of all 256 such bytes says how to lay the numbers of one or two characters, nearly all there are, into lanes of 16
// bits (one PSHUFB), how many they are, and how many characters they take. What remains is arithmetic on eight lanes:
// join the groups of five bits, extend the sign, and undo the differences, which reach back two places, by adding lanes
// two apart. The last two runs stay in a register, so a step waits for the one before it by two instructions only.
#include "masks/codec_sse4.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/cpu.hpp"
#include "masks/groups.hpp"

#if RAPIDEVAL_X86
#include <nmmintrin.h>
#endif

namespace rapideval::masks {

#if RAPIDEVAL_X86

namespace {

constexpr std::size_t kWindow = 8;

struct Layout {
    std::array<std::uint8_t, 16> lanes;  // which character goes where; 0x80: none
    std::uint8_t numbers, characters;    // that are taken: the numbers of one or two characters up to a longer one
};

constexpr std::array<Layout, 256> make_layouts() {
    std::array<Layout, 256> table{};
    for (unsigned more = 0; more < table.size(); ++more) {
        Layout& layout = table[more];
        layout.lanes.fill(0x80);
        unsigned at = 0;
        while (at < kWindow) {
            const bool two = (more >> at & 1) != 0;
            if (two && (at + 1 == kWindow || (more >> (at + 1) & 1) != 0)) break;
            layout.lanes[2u * layout.numbers] = static_cast<std::uint8_t>(at++);
            if (two) layout.lanes[2u * layout.numbers + 1u] = static_cast<std::uint8_t>(at++);
            ++layout.numbers;
        }
        layout.characters = static_cast<std::uint8_t>(at);
    }
    return table;
}

constexpr std::array<Layout, 256> kLayouts = make_layouts();

// Takes one number of any length; false where there is none, or its run is outside 0 to 2^32 - 1.
bool take_one(std::string_view text, std::size_t& at, std::span<std::uint32_t> runs, std::size_t& written) {
    const std::size_t most = std::min<std::size_t>(text.size() - at, kMaxGroups);
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, most);
    const auto ends = static_cast<unsigned>(gather(~shifted(word) >> 5)) & ((1u << most) - 1);
    if (ends == 0 || written == runs.size()) return false;
    const auto groups = static_cast<unsigned>(std::countr_zero(ends)) + 1;
    if ((foreign(word) & ~(~std::uint64_t{0} << 8 * groups)) != 0) return false;
    const std::int64_t run = number(shifted(word), groups) + (written > 2 ? std::int64_t{runs[written - 2]} : 0);
    if (run < 0 || run >> 32 != 0) return false;
    runs[written++] = static_cast<std::uint32_t>(run);
    at += groups;
    return true;
}

// The last two runs, twice: what the next ones are the difference to.
RAPIDEVAL_SSE4 __m128i last_two(std::span<const std::uint32_t> runs, std::size_t written) {
    std::uint64_t pair;
    std::memcpy(&pair, &runs[written - 2], sizeof pair);
    return _mm_set1_epi64x(static_cast<long long>(pair));
}

// Signed numbers in lanes of 16 bits from one or two characters each, shifted() already.
RAPIDEVAL_SSE4 __m128i joined(__m128i characters) {
    const __m128i low = _mm_and_si128(characters, _mm_set1_epi16(0x1f));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(characters, 3), _mm_set1_epi16(0x3e0));
    const __m128i two = _mm_cmpgt_epi16(characters, _mm_set1_epi16(0xff));
    const __m128i sign = _mm_blendv_epi8(_mm_set1_epi16(0x10), _mm_set1_epi16(0x200), two);
    return _mm_sub_epi16(_mm_xor_si128(_mm_or_si128(low, high), sign), sign);
}

RAPIDEVAL_SSE4 std::uint64_t sum_of(std::span<const std::uint32_t> runs) {
    std::uint64_t sum = 0;
    for (const std::uint32_t run : runs) sum += run;
    return sum;
}

}  // namespace

RAPIDEVAL_SSE4 bool decode_sse4(std::string_view text, Size size, std::span<std::uint32_t> runs) {
    std::size_t at = 0, written = 0;
    // The first three runs stand by themselves.
    while (written < 3 && at < text.size()) {
        if (!take_one(text, at, runs, written)) return false;
    }
    std::uint64_t wrong = 0;
    __m128i outside = _mm_setzero_si128();
    if (written == 3) {
        __m128i before = last_two(runs, written);
        while (text.size() - at >= kWindow && runs.size() - written >= kWindow) {
            const std::uint64_t word = load(text.data() + at);
            const __m128i characters = _mm_cvtsi64_si128(static_cast<long long>(shifted(word)));
            const int more = _mm_movemask_epi8(_mm_slli_epi16(characters, 2)) & 0xff;
            const Layout& layout = kLayouts[static_cast<unsigned>(more)];
            if (layout.numbers == 0) {
                if (!take_one(text, at, runs, written)) return false;
                before = last_two(runs, written);
                continue;
            }
            wrong |= foreign(word) & (~std::uint64_t{0} >> (64 - 8 * layout.characters));
            const __m128i lanes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(layout.lanes.data()));
            const __m128i differences = joined(_mm_shuffle_epi8(characters, lanes));
            __m128i low = _mm_cvtepi16_epi32(differences);
            __m128i high = _mm_cvtepi16_epi32(_mm_srli_si128(differences, 8));
            low = _mm_add_epi32(low, _mm_slli_si128(low, 8));
            high = _mm_add_epi32(high, _mm_slli_si128(high, 8));
            high = _mm_add_epi32(high, _mm_shuffle_epi32(low, _MM_SHUFFLE(3, 2, 3, 2)));
            low = _mm_add_epi32(low, before);
            high = _mm_add_epi32(high, before);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(&runs[written]), low);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(&runs[written + 4]), high);
            outside = _mm_or_si128(outside, _mm_or_si128(low, high));
            // Lanes without a number repeat the last run of their parity, so the last two always hold the last two
            // runs.
            before = (layout.numbers & 1) != 0 ? _mm_shuffle_epi32(high, _MM_SHUFFLE(2, 3, 2, 3))
                                               : _mm_shuffle_epi32(high, _MM_SHUFFLE(3, 2, 3, 2));
            at += layout.characters;
            written += layout.numbers;
        }
    }
    if (wrong != 0 || _mm_movemask_ps(_mm_castsi128_ps(outside)) != 0) return false;
    while (at < text.size()) {
        if (!take_one(text, at, runs, written)) return false;
    }
    return written == runs.size() && sum_of(runs) == size.pixels();
}

#else

bool decode_sse4(std::string_view, Size, std::span<std::uint32_t>) { return false; }

#endif

}  // namespace rapideval::masks
