// Any bytes as a dense bitmask: every level of instructions makes the same of them, and runs sum to the size.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "common/cpu.hpp"
#include "reading/bitmask.hpp"

using namespace rapideval;
using namespace rapideval::reading;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

std::string outcome(const std::vector<char>& text, Simd level) {
    const char* end = text.data() + text.size();
    Cursor cursor(text.data(), text.data(), end, kDefaultMaxDepth);
    if (cursor.peek() != '[') return "";
    std::string result;
    try {
        BitmaskOptions options;
        options.level = level;
        const BitmaskValue value = read_bitmask(cursor, options);
        if (value.problem) result = value.problem->rule() + value.problem->path() + value.problem->found();
        if (value.masks) {
            const Bitmasks& masks = *value.masks;
            check(masks.offsets.size() == masks.size() + 1);
            for (std::size_t i = 0; i < masks.size(); ++i) {
                std::uint64_t pixels = 0;
                for (std::int64_t k = masks.offsets[i]; k < masks.offsets[i + 1]; ++k)
                    pixels += masks.counts[static_cast<std::size_t>(k)];
                check(pixels == std::uint64_t{masks.sizes[2 * i]} * masks.sizes[2 * i + 1]);
            }
            result.assign(reinterpret_cast<const char*>(masks.counts.data()), 4 * masks.counts.size());
            result.append(reinterpret_cast<const char*>(masks.sizes.data()), 4 * masks.sizes.size());
            result += std::to_string(masks.ndim);
        }
        result += '@' + std::to_string(cursor.p - text.data());
    } catch (const Error& error) {
        result = error.rule() + std::to_string(error.offset());
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string plain = outcome(exact, Simd::kPlain);
    for (const Simd level : {Simd::kSse2, Simd::kAvx2}) {
        if (level <= simd()) check(outcome(exact, level) == plain);
    }
    return 0;
}
