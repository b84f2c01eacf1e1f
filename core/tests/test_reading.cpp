// Reading COCO files: numbers, the strict cursor, places of errors, and pieces that are joined to one whole.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "reading/coco_reader.hpp"
#include "reading/column.hpp"
#include "reading/ids.hpp"
#include "reading/json.hpp"
#include "reading/number.hpp"

using namespace rapideval;
using namespace rapideval::reading;

namespace {

// A copy without a byte to spare, so that the sanitizer sees a read beyond the end.
struct Exact {
    explicit Exact(const std::string& text) : bytes(text.begin(), text.end()) {}
    std::string_view view() const { return {bytes.data(), bytes.size()}; }
    std::vector<char> bytes;
};

double number_of(const std::string& text) {
    const Exact exact(text);
    Cursor cursor(exact.view().data(), exact.view().data(), exact.view().data() + exact.view().size(), 8);
    const double value = cursor.number();
    CHECK(cursor.p == cursor.end);
    const std::string padded = text + "," + std::string(64, ' ');
    Cursor roomy(padded.data(), padded.data(), padded.data() + padded.size(), 8);
    const double again = roomy.number();
    CHECK(std::memcmp(&value, &again, sizeof value) == 0);
    return value;
}

CocoDocument results_of(const std::string& text, int threads, std::size_t chunk_bytes) {
    const Exact exact(text);
    CocoOptions options;
    options.extras = true;
    options.threads = threads;
    options.chunk_bytes = chunk_bytes;
    return read_results(Source::borrow(exact.view()), options);
}

std::string rule_of(const std::string& text) {
    try {
        results_of(text, 1, 0);
    } catch (const Error& error) {
        return error.rule();
    }
    return "";
}

std::string extras_of(const CocoDocument& document) {
    const Column<char>& data = document.annotations->extras.data;
    return {data.data(), data.size()};
}

}  // namespace

TEST_CASE("doubles are rounded as IEEE 754 asks, ties to even") {
    CHECK(number_of("9007199254740993") == 9007199254740992.0);
    CHECK(number_of("9007199254740993.00000000000000000000000001") == 9007199254740994.0);
    CHECK(number_of("0.1") == 0.1);
    CHECK(number_of("123456789.123456789") == 123456789.123456789);
    CHECK(number_of("2.2250738585072011e-308") == 2.2250738585072011e-308);
    CHECK(number_of("4.9406564584124654e-324") == 4.9406564584124654e-324);
    CHECK(number_of("2.4703282292062327e-324") == 0.0);
    CHECK(number_of("1.7976931348623158e308") == 1.7976931348623157e308);
    CHECK(std::isinf(number_of("1.7976931348623159e308")));
    CHECK(std::signbit(number_of("-0")));
    CHECK(std::signbit(number_of("-1e-999999999999999999999")));
}

TEST_CASE("random digits agree with the C library") {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string text = std::to_string(random() >> (random() % 64));
        if (random() % 2) text += "." + std::to_string(random());
        if (random() % 2) text += "e" + std::to_string(static_cast<int>(random() % 700) - 350);
        const double want = std::strtod(text.c_str(), nullptr);
        const double got = number_of(text);
        CHECK_MESSAGE(std::memcmp(&got, &want, sizeof got) == 0, text);
    }
}

TEST_CASE("text that is no JSON is refused by rule, at any length") {
    const std::string text =
        R"([{"image_id": 12, "bbox": [1.5, 2e1, 3, 4], "x": {"y": ["\u00e9\n", null]}, "score": 0.25}])";
    CHECK(rule_of(text).empty());
    for (std::size_t n = 0; n < text.size(); ++n)
        CHECK(rule_of(text.substr(0, n)) == (n == 0 ? "json-empty" : "json-truncated"));
    CHECK(rule_of("[NaN]") == "json-nan");
    CHECK(rule_of("[1,]") == "json-syntax");
    CHECK(rule_of("[] []") == "json-trailing");
    CHECK(rule_of("[\"\xC3\x28\"]") == "json-utf8");
    CHECK(rule_of("[{\"a\":1,\"\\u0061\":2}]") == "json-duplicate-key");
    CHECK(rule_of(std::string(100'000, '[')) == "json-depth");
    CHECK(rule_of("{}") == "coco-shape");
}

TEST_CASE("places are lines and JSON paths") {
    const std::string text = "{\"a\": [1,\n {\"odd name\": \"x\", \"b\": [[true]]}]}";
    const auto at = [&](char c) { return find_place(text, static_cast<std::int64_t>(text.find(c))); };
    CHECK(at('1').path == "$.a[0]");
    CHECK(at('x').path == "$.a[1][\"odd name\"]");
    CHECK(at('x').line == 2);
    CHECK(at('t').path == "$.a[1].b[0][0]");
    CHECK(find_place(text, 10'000).path == "$");
}

TEST_CASE("however the text is cut, the rows are the same") {
    std::string text = "[";
    for (int i = 0; i < 40; ++i) {
        const std::string n = std::to_string(i);
        text += (i ? "," : "");
        text += R"({"image_id":)" + n + R"(,"bbox":[)" + n +
                R"(,1,2,3.25],"x":"},{\"image_id\":7},{","y":[{"a":1},{"b":[]}]})";
        if (i % 5 == 0) text += R"(, {"segmentation":{"size":[2,3],"counts":"06"},"id":)" + n + "}";
        if (i % 7 == 0) text += R"( ,{"segmentation":[[1,2,3,4,5,)" + n + "]]}";
    }
    text += "]";
    const CocoDocument whole = results_of(text, 1, 0);
    for (std::size_t chunk = 1; chunk < text.size(); chunk += 1 + chunk / 7) {
        const CocoDocument cut = results_of(text, 3, chunk);
        REQUIRE(cut.annotations->rows == whole.annotations->rows);
        CHECK(extras_of(cut) == extras_of(whole));
        CHECK(std::memcmp(cut.annotations->image_id.values.data(), whole.annotations->image_id.values.data(),
                          8 * whole.annotations->rows) == 0);
        CHECK(cut.annotations->segmentation.counts.size() == whole.annotations->segmentation.counts.size());
        CHECK(cut.annotations->segmentation.coordinates.size() == whole.annotations->segmentation.coordinates.size());
    }
}

TEST_CASE("a broken text gives one error, however it is cut") {
    std::string text = "[";
    for (int i = 0; i < 30; ++i)
        text += (i ? "," : "") + std::string(R"({"image_id":1,"x":{"y":[{"z":"},{"},{"w":2}]}})");
    text += "]";
    std::mt19937_64 random(3);
    for (int i = 0; i < 300; ++i) {
        std::string broken = text;
        broken[random() % broken.size()] = "\"\\,:]}[{0\x01\xFF"[random() % 11];
        std::int64_t offset = -2;
        for (const std::size_t chunk : {std::size_t{0}, std::size_t{1}, std::size_t{20}, std::size_t{100}}) {
            std::int64_t now = -1;
            try {
                results_of(broken, chunk == 0 ? 1 : 3, chunk);
            } catch (const Error& error) {
                now = error.offset();
            }
            if (offset != -2) CHECK(now == offset);
            offset = now;
        }
    }
}

TEST_CASE("columns grow, shrink and keep what they hold") {
    Column<std::uint32_t> column;
    for (std::uint32_t i = 0; i < 300'000; ++i) column.push_back(i);
    column.truncate(200'000);
    column.shrink();
    column.fill_up_to(200'010, 7);
    REQUIRE(column.size() == 200'010);
    CHECK(column[199'999] == 199'999);
    CHECK(column.back() == 7);
    Column<std::uint32_t> other = std::move(column);
    CHECK(column.empty());
    CHECK(other[123'456] == 123'456);
}

TEST_CASE("ids are found near and far") {
    const std::vector<std::int64_t> far = {INT64_MIN, -5, 0, 7, INT64_MAX};
    const std::vector<std::int64_t> values = {7, INT64_MAX, 1, INT64_MIN, -5, 0, -6};
    std::vector<std::int32_t> rows(values.size());
    index_ids(values, far, rows, 1);
    CHECK(rows == std::vector<std::int32_t>{3, 4, -1, 0, 1, 2, -1});
    const std::vector<std::int64_t> near = {7, -5, 0};
    index_ids(values, near, rows, 1);
    CHECK(rows == std::vector<std::int32_t>{0, -1, -1, -1, 1, 2, -1});
    const std::vector<std::int64_t> twice = {1, 2, 1};
    CHECK_THROWS_AS(index_ids(values, twice, rows, 1), Error);
}
