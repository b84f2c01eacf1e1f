#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "writing/number.hpp"
#include "writing/rows.hpp"

using namespace rapideval::writing;

namespace {

std::string text_of(double value) {
    char text[kNumberLength];
    return {text, write_float(text, value)};
}

std::string all_of(const OwnTexts& texts) {
    return {reinterpret_cast<const char*>(texts.data.data()), texts.data.size()};
}

}  // namespace

TEST_CASE("numbers read back as the same bits and stay within their room") {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t bits = random();
        double value;
        static_assert(sizeof value == sizeof bits);
        std::memcpy(&value, &bits, sizeof value);
        if (!std::isfinite(value)) continue;
        const std::string text = text_of(value);
        CHECK(text.size() <= kNumberLength);
        CHECK(std::strtod(text.c_str(), nullptr) == value);
    }
    CHECK(text_of(-std::numeric_limits<double>::denorm_min()) == "-5e-324");
    CHECK(text_of(-0.00012345678901234567).size() <= kNumberLength);
    CHECK(text_of(258.0) == "258");
    CHECK(text_of(-0.0) == "-0.0");
    CHECK(text_of(0.1) == "0.1");
    CHECK(text_of(1e16) == "1e+16");
}

TEST_CASE("strings are escaped as JSON asks") {
    const std::string given = std::string("a\"\\\n\x01", 5) + "\xc3\xbc";
    const std::vector<std::int64_t> offsets = {0, static_cast<std::int64_t>(given.size())};
    Column column;
    column.kind = Column::Kind::kString;
    column.texts = {given, offsets};
    const std::vector<std::string_view> literals = {"", ""};
    CHECK(all_of(format_rows(literals, {&column, 1}, 1, ",", 1)) == "\"a\\\"\\\\\\n\\u0001\xc3\xbc\"");
}

TEST_CASE("rows over many blocks are the same for any number of threads") {
    std::vector<std::int64_t> values(30000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i * i);
    Column column;
    column.integers = values;
    const std::vector<std::string_view> literals = {"<", ">\n"};
    const std::string one = all_of(format_rows(literals, {&column, 1}, values.size(), ",", 1));
    CHECK(one.substr(0, 8) == "<0>\n<1>\n");
    CHECK(one == all_of(format_rows(literals, {&column, 1}, values.size(), ",", 4)));
}

TEST_CASE("columns that do not fit are refused") {
    const std::vector<std::int64_t> values = {1, 2};
    const std::vector<std::int32_t> index = {0, 2};
    Column column;
    column.integers = values;
    const std::vector<std::string_view> literals = {"", ""};
    CHECK_THROWS_AS(format_rows(literals, {&column, 1}, 3, ",", 1), rapideval::Error);
    column.has_index = true;
    column.index = index;
    CHECK_THROWS_AS(format_rows(literals, {&column, 1}, 2, ",", 1), rapideval::Error);
    const std::vector<std::int64_t> offsets = {0, 5};
    CHECK_THROWS_AS(join_texts({"abc", offsets}, offsets, "", "", "", 1), rapideval::Error);
}
