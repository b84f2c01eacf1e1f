#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

#include "common/error.hpp"
#include "masks/codec.hpp"

using namespace rapideval::masks;

namespace {

// The format by its definition, one character after another.
std::string plain_encode(Runs runs) {
    std::string text;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        std::int64_t value = std::int64_t{runs[i]} - (i > 2 ? std::int64_t{runs[i - 2]} : 0);
        bool more = true;
        while (more) {
            const int group = static_cast<int>(value & 0x1f);
            value >>= 5;
            more = (group & 0x10) != 0 ? value != -1 : value != 0;
            text.push_back(static_cast<char>('0' + (more ? group | 0x20 : group)));
        }
    }
    return text;
}

std::string encoded(Runs runs) {
    std::string text(encoded_length(runs), '\0');
    encode(runs, text.data());
    return text;
}

std::vector<std::uint32_t> random_runs(std::mt19937& random) {
    std::vector<std::uint32_t> runs(std::uniform_int_distribution<std::size_t>(0, 200)(random));
    const unsigned bits = std::uniform_int_distribution<unsigned>(1, 24)(random);
    for (auto& run : runs)
        run = static_cast<std::uint32_t>(random()) >> (32 - std::uniform_int_distribution<unsigned>(1, bits)(random));
    return runs;
}

// Every variant of this machine must give the same answer; returns it.
bool decoded(std::string_view text, Size size, std::vector<std::uint32_t>& runs) {
    const bool sound = decode(text, size, runs, rapideval::Simd::kPlain);
    for (const auto level : {rapideval::Simd::kSse4, rapideval::Simd::kAvx2}) {
        if (level > rapideval::simd()) continue;
        std::vector<std::uint32_t> again(runs.size());
        CHECK(decode(text, size, again, level) == sound);
        if (sound) CHECK(again == runs);
    }
    return sound;
}

// Smooth outlines, as objects have them: differences of a few pixels, now and then a jump.
std::vector<std::uint32_t> smooth_runs(std::mt19937& random) {
    std::vector<std::uint32_t> runs(std::uniform_int_distribution<std::size_t>(0, 300)(random));
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const auto step = std::uniform_int_distribution<int>(-20, 20)(random) * (random() % 50 == 0 ? 100 : 1);
        const auto before = i > 1 ? static_cast<std::int64_t>(runs[i - 2]) : 300;
        runs[i] = static_cast<std::uint32_t>(std::max<std::int64_t>(0, before + step));
    }
    return runs;
}

Size size_of(Runs runs) {
    std::uint64_t sum = 0;
    for (const auto run : runs) sum += run;
    return {static_cast<std::uint32_t>(sum), 1};
}

}  // namespace

TEST_CASE("strings follow the definition and give back their runs") {
    std::mt19937 random(3);
    for (int round = 0; round < 3000; ++round) {
        const auto runs = round % 2 == 0 ? random_runs(random) : smooth_runs(random);
        const std::string text = encoded(runs);
        CHECK(text == plain_encode(runs));
        CHECK(count_runs(text) == runs.size());
        // In memory of exactly its length, so that the sanitizer sees any access beyond.
        const std::vector<char> exact(text.begin(), text.end());
        std::vector<std::uint32_t> back(runs.size());
        CHECK(decoded({exact.data(), exact.size()}, size_of(runs), back));
        CHECK(back == runs);
    }
}

TEST_CASE("the largest differences take seven characters") {
    for (const std::vector<std::uint32_t>& runs :
         {std::vector<std::uint32_t>{0xffff'ffff}, {0, 0xffff'ffff, 0, 0}, {0, 1u << 31, 0, 0, 0}}) {
        const std::string text = encoded(runs);
        CHECK(text == plain_encode(runs));
        std::vector<std::uint32_t> back(runs.size());
        CHECK(decoded(text, size_of(runs), back));
        CHECK(back == runs);
    }
}

TEST_CASE("a damaged string is refused with the reason, or still sums to its size") {
    std::mt19937 random(4);
    int refused = 0;
    for (int round = 0; round < 5000; ++round) {
        const auto runs = round % 2 == 0 ? random_runs(random) : smooth_runs(random);
        std::string text = encoded(runs);
        if (text.empty()) continue;
        const std::size_t at = std::uniform_int_distribution<std::size_t>(0, text.size() - 1)(random);
        if (round % 3 == 0) text.resize(at);
        if (round % 3 == 1) text[at] = static_cast<char>(random());
        if (round % 3 == 2) text.insert(at, std::string(1 + round % 9, 'o'));
        const std::vector<char> exact(text.begin(), text.end());
        std::vector<std::uint32_t> back(count_runs(text));
        if (decoded({exact.data(), exact.size()}, size_of(runs), back)) {
            CHECK(size_of(back).height == size_of(runs).height);
        } else {
            ++refused;
            CHECK_THROWS_AS(explain(text, size_of(runs)), rapideval::Error);
        }
    }
    CHECK(refused > 3000);
}
