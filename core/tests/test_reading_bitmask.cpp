// Dense bitmasks in JSON text: every level of instructions against masks painted by hand, at every end of the text.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "common/cpu.hpp"
#include "reading/bitmask.hpp"

using namespace rapideval;
using namespace rapideval::reading;

namespace {

using Dense = std::vector<std::vector<int>>;

std::vector<Simd> levels() {
    std::vector<Simd> all = {Simd::kPlain, Simd::kSse2};
    if (simd() >= Simd::kAvx2) all.push_back(Simd::kAvx2);
    return all;
}

BitmaskValue read(const std::string& text, Simd level, std::size_t threads = 1) {
    const std::vector<char> exact(text.begin(), text.end());  // a read beyond the end is seen by the sanitizer
    Cursor cursor(exact.data(), exact.data(), exact.data() + exact.size(), 64);
    BitmaskOptions options;
    options.level = level;
    options.threads = threads;
    return read_bitmask(cursor, options);
}

// One row after another, `before` and `after` each value, in the words for 0 and 1.
std::string written(const Dense& mask, const std::string& zero, const std::string& one, const std::string& comma) {
    std::string text = "[";
    for (std::size_t y = 0; y < mask.size(); ++y) {
        text += y != 0 ? comma + "[" : "[";
        for (std::size_t x = 0; x < mask[y].size(); ++x) text += (x != 0 ? comma : "") + (mask[y][x] != 0 ? one : zero);
        text += "]";
    }
    return text + "]";
}

std::vector<std::uint32_t> runs_of(const Dense& mask) {
    std::vector<std::uint32_t> runs = {0};
    int value = 0;
    for (std::size_t x = 0; x < mask[0].size(); ++x) {
        for (const std::vector<int>& row : mask) {
            if (row[x] != value) runs.push_back(0), value = row[x];
            ++runs.back();
        }
    }
    return runs;
}

Dense random_mask(std::mt19937& random) {
    const std::size_t height = 1 + random() % 7, width = 1 + random() % 150;
    const unsigned density = random() % 101;
    Dense mask(height, std::vector<int>(width));
    for (std::vector<int>& row : mask) {
        for (int& value : row) value = random() % 100 < density;
    }
    return mask;
}

}  // namespace

TEST_CASE("bitmasks are read in every way of writing, by every level, to the runs of the mask") {
    const std::vector<std::vector<std::string>> styles = {
        {"0", "1", ","},          {"0", "1", ", "},         {"0.0", "1.0", ","}, {"false", "true", ","},
        {"false", "true", ",  "}, {"0", "true", ",\n    "}, {"-0", "1e0", ","},  {"0.000", "10e-1", " , "},
    };
    std::mt19937 random(5);
    for (int i = 0; i < 200; ++i) {
        const Dense mask = random_mask(random);
        const std::vector<std::uint32_t> want = runs_of(mask);
        const std::vector<std::string>& style = styles[static_cast<std::size_t>(i) % styles.size()];
        const std::string one = written(mask, style[0], style[1], style[2]);
        for (const Simd level : levels()) {
            for (const std::string& text : {one, "[" + one + style[2] + one + "]", "[[" + one + "] ,[" + one + "]]"}) {
                const BitmaskValue value = read(text, level, 2);
                REQUIRE(value.masks);
                const Bitmasks& masks = *value.masks;
                REQUIRE(masks.size() == (text.size() == one.size() ? 1u : 2u));
                REQUIRE(masks.counts.size() == want.size() * masks.size());
                for (std::size_t k = 0; k < masks.counts.size(); ++k) CHECK(masks.counts[k] == want[k % want.size()]);
                CHECK(masks.sizes[0] == mask.size());
                CHECK(masks.sizes[1] == mask[0].size());
            }
        }
    }
}

TEST_CASE("a text cut off anywhere is refused as JSON by every level") {
    std::mt19937 random(6);
    const std::string text =
        "[" + written(random_mask(random), "0", "1", ",") + "," + written({{1, 0}, {0, 0}}, "false", "1.0", ", ") + "]";
    for (const Simd level : levels()) {
        for (std::size_t n = 1; n < text.size(); ++n) CHECK_THROWS_AS(read(text.substr(0, n), level), Error);
    }
}

TEST_CASE("what is no bitmask is told by rule and place, by every level") {
    for (const Simd level : levels()) {
        const auto rule = [&](const std::string& text) {
            const BitmaskValue value = read(text, level);
            return value.problem ? value.problem->rule() + value.problem->path() : "";
        };
        CHECK(rule("[[0,1],[0]]") == "M31[1]");
        CHECK(rule("[[0,1],[2,0]]") == "M33[1][0]");
        CHECK(rule("[[[]]]") == "M34[0]");
        CHECK(rule("[0,1]") == "M35");
        CHECK(rule("[[0,\"1\"]]").empty());
        CHECK(rule("[]").empty());
    }
}
