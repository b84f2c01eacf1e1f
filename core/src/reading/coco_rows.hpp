// Rows of COCO documents as columns: what one thread reads of an array, before the pieces are joined.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reading/column.hpp"
#include "reading/json.hpp"

namespace rapideval::reading {

// --- columns -------------------------------------------------------------------------------------------

// Ragged text: row i ends at ends[i]. Both are empty while no row has any.
struct TextColumn {
    Column<char> data;
    Column<std::int64_t> ends;

    void end_rows_up_to(std::size_t rows) { ends.fill_up_to(rows, static_cast<std::int64_t>(data.size())); }
    void append(const TextColumn& more, std::size_t rows_before, std::size_t rows);
    void clear() { data.clear(), ends.clear(); }
    bool used() const { return !ends.empty() || !data.empty(); }
};

// Ids: integers, or text. Both columns are filled while it is not yet known that they are mixed.
struct IdColumn {
    Column<std::int64_t> values;
    TextColumn text;
    std::size_t first_integer = kNone, first_text = kNone;  // rows

    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    void append(const IdColumn& more, std::size_t rows_before, std::size_t rows);
    void clear() { values.clear(), text.clear(), first_integer = first_text = kNone; }
};

enum class SegmentationKind : std::uint8_t { none = 0, polygons = 1, run_list = 2, run_string = 3 };

struct SegmentationColumn {
    Column<std::uint8_t> kind;
    Column<std::uint32_t> counts;
    Column<std::int64_t> count_ends;
    Column<std::uint32_t> sizes;         // two a row: height, width
    Column<double> coordinates;          // two a point
    Column<std::int64_t> ring_ends;      // in points
    Column<std::int64_t> row_ring_ends;  // in rings

    bool used() const { return !kind.empty(); }
    void end_rows_up_to(std::size_t rows);
    void append(const SegmentationColumn& more, std::size_t rows_before, std::size_t rows);
    void clear();
    // Back to how it was with so many runs, coordinates and rings: a row turned out malformed.
    struct Mark {
        std::size_t counts, coordinates, rings;
    };
    Mark mark() const { return {counts.size(), coordinates.size(), ring_ends.size()}; }
    void rewind(const Mark& mark);
};

// --- fields --------------------------------------------------------------------------------------------

// The members that become columns, by their place in the tables below.
enum AnnotationField { kImageId, kCategoryId, kBbox, kScore, kArea, kIscrowd, kId, kSegmentation, kAnnotationFields };
enum ImageField { kImageKey, kWidth, kHeight, kFileName, kImageFields };
enum CategoryField { kCategoryKey, kName, kSupercategory, kCategoryFields };

inline constexpr std::size_t kMaxFields = 8;
inline constexpr std::array<std::string_view, kAnnotationFields> kAnnotationNames = {
    "image_id", "category_id", "bbox", "score", "area", "iscrowd", "id", "segmentation"};
inline constexpr std::array<std::string_view, kImageFields> kImageNames = {"id", "width", "height", "file_name"};
inline constexpr std::array<std::string_view, kCategoryFields> kCategoryNames = {"id", "name", "supercategory"};

// --- rows ----------------------------------------------------------------------------------------------

struct Problem {
    std::size_t row;
    std::int64_t offset;
    std::string rule, path, found, expected, hint;
};

// What all kinds of rows have in common: which fields stood, the members that are no column, the problems.
struct RowsBase {
    std::size_t rows = 0;
    Column<std::uint8_t> seen;  // bit f: field f is present
    std::uint8_t any = 0, all = 0xFF;
    TextColumn extras;  // {"member":value,...} as written
    std::vector<Problem> problems;
    std::size_t problem_count = 0;
    std::array<std::size_t, kMaxFields> nulls{};

  protected:
    void append_base(const RowsBase& more, std::size_t max_problems);
    void clear_base();
    void truncate_base();
};

// Each kind of rows can take over the rows of another (append), and forget those that were begun but not
// completed (truncate: to `rows`). In append, a column that no row had so far begins with what stands for
// absent.

struct AnnotationRows : RowsBase {
    static constexpr const auto& kNames = kAnnotationNames;
    IdColumn image_id, category_id, id;
    Column<double> bbox, score, area;
    Column<std::uint8_t> iscrowd;
    SegmentationColumn segmentation;

    void append(const AnnotationRows& more, std::size_t max_problems);
    void clear();
    void truncate();
    void end_row();
};

struct ImageRows : RowsBase {
    static constexpr const auto& kNames = kImageNames;
    IdColumn id;
    Column<std::int64_t> width, height;
    TextColumn file_name;

    void append(const ImageRows& more, std::size_t max_problems);
    void clear();
    void truncate();
    void end_row();
};

struct CategoryRows : RowsBase {
    static constexpr const auto& kNames = kCategoryNames;
    IdColumn id;
    TextColumn name, supercategory;

    void append(const CategoryRows& more, std::size_t max_problems);
    void clear();
    void truncate();
    void end_row();
};

}  // namespace rapideval::reading
