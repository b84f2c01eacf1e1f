// Masks of COCO files: polygons, run-lengths as a list, run-lengths as a compressed string.
#include <cmath>
#include <limits>
#include <utility>

#include "masks/codec.hpp"
#include "masks/rle.hpp"
#include "reading/integers.hpp"
#include "reading/row_reader.hpp"

namespace rapideval::reading {

namespace {

constexpr std::int64_t kMaxRun = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kFewestCoordinates = 6;

std::string times(const std::int64_t size[2]) { return std::to_string(size[0]) + " x " + std::to_string(size[1]); }

// [height, width]
bool read_size(Cursor& cursor, std::int64_t size[2]) {
    if (!cursor.take('[')) return false;
    for (int i = 0; i < 2; ++i) {
        cursor.skip_space();
        if (!number_ahead(cursor) || !take_integer(cursor, size[i]) || size[i] < 0) return false;
        cursor.skip_space();
        if (i == 0 && !cursor.take(',')) return false;
    }
    return cursor.take(']');
}

}  // namespace

// Thrown where a mask turns out not to be one; read_segmentation makes a problem of it.
struct FieldReader::Refusal {
    const char* at;
    std::string rule;
    std::string step, found, expected, hint;
};

bool FieldReader::read_segmentation(Cursor& cursor, int field, SegmentationColumn& column) {
    const char* begin = cursor.p;
    const char c = cursor.peek();
    if (c == 'n') return null_value(cursor, field);
    if (c == '"') {
        return refuse(cursor, begin, field, "coco-rle", "polygons or run-lengths",
                      "compressed run-lengths stand in an object beside their size");
    }
    if (c != '[' && c != '{') return refuse(cursor, begin, field, "coco-polygon", "polygons or run-lengths");
    column.end_rows_up_to(base_.rows);
    const auto mark = column.mark();
    try {
        return c == '[' ? read_polygons(cursor, column) : read_runs(cursor, column);
    } catch (Refusal& refusal) {
        column.rewind(mark);
        cursor.p = begin;
        cursor.skip_value();
        add_problem(cursor, refusal.at, refusal.rule, ".segmentation" + refusal.step, std::move(refusal.found),
                    std::move(refusal.expected), std::move(refusal.hint));
        return false;
    }
}

// [[x1, y1, x2, y2, ...], ...]; an empty list is no outline at all.
bool FieldReader::read_polygons(Cursor& cursor, SegmentationColumn& column) {
    ++cursor.p;
    cursor.skip_space();
    if (cursor.take(']')) {
        column.kind.push_back(static_cast<std::uint8_t>(SegmentationKind::none));
        return true;
    }
    std::size_t ring = 0;
    do {
        const char* begin = cursor.p;
        if (!cursor.take('[')) {
            throw Refusal{begin,
                          "coco-polygon",
                          path_step(ring),
                          describe_value(begin, cursor.end),
                          "a list of coordinates",
                          number_ahead(cursor) ? "a polygon is a list of rings: [[x1, y1, x2, y2, ...]]" : ""};
        }
        const std::size_t first = column.coordinates.size();
        cursor.skip_space();
        if (!cursor.take(']')) {
            do {
                const char* at = cursor.p;
                const double value = number_ahead(cursor) ? cursor.number() : std::numeric_limits<double>::quiet_NaN();
                if (!std::isfinite(value)) {
                    throw Refusal{at,
                                  "coco-polygon",
                                  path_step(ring) + path_step(column.coordinates.size() - first),
                                  describe_value(at, cursor.end),
                                  "a finite number",
                                  ""};
                }
                column.coordinates.push_back(value);
            } while (cursor.next(']'));
        }
        const std::size_t numbers = column.coordinates.size() - first;
        if (numbers < kFewestCoordinates || numbers % 2 != 0) {
            throw Refusal{begin,
                          "coco-polygon",
                          path_step(ring),
                          std::to_string(numbers) + (numbers == 1 ? " number" : " numbers"),
                          "x, y of at least 3 points",
                          numbers == 4 ? "a box is written as bbox" : ""};
        }
        column.ring_ends.push_back(static_cast<std::int64_t>(column.coordinates.size() / 2));
        ++ring;
    } while (cursor.next(']'));
    column.kind.push_back(static_cast<std::uint8_t>(SegmentationKind::polygons));
    return true;
}

// {"size": [height, width], "counts": "compressed" or [runs, ...]}, in either order.
bool FieldReader::read_runs(Cursor& cursor, SegmentationColumn& column) {
    const char *begin = cursor.p, *size_at = nullptr, *counts_at = nullptr;
    std::int64_t size[2] = {0, 0};
    std::uint64_t pixels = 0;  // of a list
    SegmentationKind kind = SegmentationKind::run_list;
    RawString string{};

    ++cursor.p;
    cursor.skip_space();
    if (!cursor.take('}')) {
        do {
            const char* name_at = cursor.p;
            const RawString raw = cursor.member_name();
            const std::string_view name = plain(raw);
            if (name == "size") {
                if (size_at) cursor.fail_duplicate(name_at);
                size_at = cursor.p;
                if (!read_size(cursor, size)) {
                    throw Refusal{
                        size_at, "rle-size", ".size", describe_value(size_at, cursor.end), "a list of height and width",
                        ""};
                }
                if (size[0] > kMaxRun || size[1] > kMaxRun || (size[1] != 0 && size[0] > kMaxRun / size[1])) {
                    throw Refusal{size_at, "mask-size", ".size", times(size), "fewer than 2^32 pixels", ""};
                }
            } else if (name == "counts") {
                if (counts_at) cursor.fail_duplicate(name_at);
                counts_at = cursor.p;
                if (cursor.peek() == '"') {
                    kind = SegmentationKind::run_string;
                    string = cursor.string();
                } else {
                    pixels = read_run_list(cursor, column);
                }
            } else {
                throw Refusal{name_at,
                              "coco-rle",
                              "",
                              "the member " + describe_value(name_at, cursor.end),
                              "size and counts only",
                              ""};
            }
        } while (cursor.next('}'));
    }
    if (!size_at || !counts_at) {
        throw Refusal{begin,
                      "coco-rle",
                      "",
                      size_at     ? "no counts"
                      : counts_at ? "no size"
                                  : "neither size nor counts",
                      "run-lengths with size and counts",
                      ""};
    }
    if (kind == SegmentationKind::run_string) {
        decode_runs(string, size, column);
    } else if (pixels != static_cast<std::uint64_t>(size[0]) * static_cast<std::uint64_t>(size[1])) {
        throw Refusal{counts_at,
                      "rle-sum",
                      ".counts",
                      "runs that sum to " + std::to_string(pixels),
                      std::to_string(size[0] * size[1]) + ", the pixels of " + times(size),
                      ""};
    }
    column.kind.push_back(static_cast<std::uint8_t>(kind));
    column.sizes.push_back(static_cast<std::uint32_t>(size[0]));
    column.sizes.push_back(static_cast<std::uint32_t>(size[1]));
    return true;
}

// The characters of a string, without escapes.
std::string_view FieldReader::plain(const RawString& raw) {
    if (!raw.escaped) return raw.view();
    decoded_.clear();
    decode_string(raw, decoded_);
    return decoded_;
}

void FieldReader::decode_runs(const RawString& raw, const std::int64_t size[2], SegmentationColumn& column) {
    const std::string_view text = plain(raw);  // a backslash is one of the characters, and is written twice
    const masks::Size image{static_cast<std::uint32_t>(size[0]), static_cast<std::uint32_t>(size[1])};
    const std::size_t runs = masks::count_runs(text);
    if (masks::decode(text, image, {column.counts.extend(runs), runs})) return;
    try {
        masks::explain(text, image);
    } catch (const Error& error) {
        throw Refusal{raw.begin - 1, error.rule(), ".counts", error.found(), error.expected(), error.hint()};
    }
}

std::uint64_t FieldReader::read_run_list(Cursor& cursor, SegmentationColumn& column) {
    const char* begin = cursor.p;
    if (!cursor.take('[')) {
        throw Refusal{begin, "coco-rle", ".counts", describe_value(begin, cursor.end), "text or a list of runs", ""};
    }
    std::uint64_t pixels = 0;
    cursor.skip_space();
    if (cursor.take(']')) return 0;
    const std::size_t first = column.counts.size();
    do {
        const char* at = cursor.p;
        std::int64_t run = -1;
        if (!number_ahead(cursor) || !take_integer(cursor, run) || run < 0 || run > kMaxRun) {
            throw Refusal{at,
                          "coco-rle",
                          ".counts" + path_step(column.counts.size() - first),
                          describe_value(at, cursor.end),
                          "runs of 0 to 2^32 - 1 pixels",
                          ""};
        }
        column.counts.push_back(static_cast<std::uint32_t>(run));
        pixels += static_cast<std::uint64_t>(run);
    } while (cursor.next(']'));
    return pixels;
}

}  // namespace rapideval::reading
