// JSON objects of COCO documents -> rows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "reading/coco_rows.hpp"
#include "reading/json.hpp"

namespace rapideval::reading {

struct ReadOptions {
    bool extras = false;
    std::size_t max_problems = 100;
};

// The values of members. Every read_* takes the value ahead and returns whether there is one: null is none,
// and a value of another shape is none and a problem.
class FieldReader {
  protected:
    FieldReader(RowsBase& rows, std::span<const std::string_view> names, const ReadOptions& options)
        : base_(rows), names_(names), options_(options) {}

    bool read_field(Cursor& cursor, int field, AnnotationRows& rows);
    bool read_field(Cursor& cursor, int field, ImageRows& rows);
    bool read_field(Cursor& cursor, int field, CategoryRows& rows);

    bool read_id(Cursor& cursor, int field, IdColumn& column);
    bool read_real(Cursor& cursor, int field, Column<double>& column);
    bool read_flag(Cursor& cursor, int field, Column<std::uint8_t>& column);
    bool read_length(Cursor& cursor, int field, Column<std::int64_t>& column);
    bool read_text(Cursor& cursor, int field, TextColumn& column);
    bool read_box(Cursor& cursor, int field, Column<double>& column);
    bool read_segmentation(Cursor& cursor, int field, SegmentationColumn& column);

    void add_problem(const Cursor& cursor, const char* at, std::string rule, std::string path, std::string found,
                     std::string expected, std::string hint = {});

    RowsBase& base_;
    std::span<const std::string_view> names_;
    ReadOptions options_;
    std::string decoded_;
    // of the row being read
    std::uint32_t null_ = 0;
    std::size_t row_problems_ = 0;

  private:
    struct Refusal;
    bool read_polygons(Cursor& cursor, SegmentationColumn& column);
    bool read_runs(Cursor& cursor, SegmentationColumn& column);
    void decode_runs(const RawString& raw, const std::int64_t size[2], SegmentationColumn& column);
    std::uint64_t read_run_list(Cursor& cursor, SegmentationColumn& column);
    std::string_view plain(const RawString& raw);
    bool refuse(Cursor& cursor, const char* begin, int field, const char* rule, std::string expected,
                std::string hint = {});
    bool refuse_box(Cursor& cursor, const char* begin);
    bool null_value(Cursor& cursor, int field);
};

// Reads rows of one kind, one after another. One per thread: it remembers what helps with the next row.
template <typename Rows>
class RowReader : FieldReader {
  public:
    explicit RowReader(const ReadOptions& options) : FieldReader(rows, Rows::kNames, options) {}

    // Reads the value ahead as the next row. Throws Error if the text is not JSON; the row is then not there.
    void read(Cursor& cursor);

    Rows rows;

  private:
    std::uint32_t read_members(Cursor& cursor);
    int take_known_name(Cursor& cursor, std::size_t place);
    void keep_member(const char* begin, const char* end);

    Members members_;
    std::array<std::uint8_t, 2 * kMaxFields> order_{};  // the fields in the order of the row before
    std::size_t extras_begin_ = 0;
};

extern template class RowReader<AnnotationRows>;
extern template class RowReader<ImageRows>;
extern template class RowReader<CategoryRows>;

}  // namespace rapideval::reading
