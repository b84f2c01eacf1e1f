#include "reading/coco_rows.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace rapideval::reading {

namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

// Appends the ends of `more`, counted from where this column's data ended before.
void append_ends(Column<std::int64_t>& ends, const Column<std::int64_t>& more, std::int64_t base) {
    std::int64_t* to = ends.extend(more.size());
    for (std::size_t i = 0; i < more.size(); ++i) to[i] = more[i] + base;
}

template <typename T>
void append_values(Column<T>& column, const Column<T>& more, bool used, std::size_t rows_before, std::size_t width,
                   T absent) {
    if (!used && column.empty()) return;
    column.fill_up_to(rows_before * width, absent);
    column.append(more.data(), more.size());
}

template <typename T>
void cut(Column<T>& column, std::size_t size) {
    if (column.size() > size) column.truncate(size);
}

void cut_text(TextColumn& text, std::size_t rows) {
    cut(text.ends, rows);
    text.data.truncate(text.ends.empty() ? 0 : static_cast<std::size_t>(text.ends.back()));
}

void cut_ids(IdColumn& ids, std::size_t rows) {
    cut(ids.values, rows);
    cut_text(ids.text, rows);
}

}  // namespace

// --- columns -------------------------------------------------------------------------------------------

void TextColumn::append(const TextColumn& more, std::size_t rows_before, std::size_t rows) {
    if (!more.used() && !used()) return;
    end_rows_up_to(rows_before);
    const auto base = static_cast<std::int64_t>(data.size());
    data.append(more.data.data(), more.data.size());
    append_ends(ends, more.ends, base);
    end_rows_up_to(rows_before + rows);
}

void IdColumn::append(const IdColumn& more, std::size_t rows_before, std::size_t rows) {
    const bool now = more.first_integer != kNone || more.first_text != kNone;
    append_values(values, more.values, now, rows_before, 1, std::int64_t{0});
    text.append(more.text, rows_before, rows);
    if (first_integer == kNone && more.first_integer != kNone) first_integer = rows_before + more.first_integer;
    if (first_text == kNone && more.first_text != kNone) first_text = rows_before + more.first_text;
}

void SegmentationColumn::end_rows_up_to(std::size_t rows) {
    kind.fill_up_to(rows, 0);
    sizes.fill_up_to(2 * rows, 0);
    count_ends.fill_up_to(rows, static_cast<std::int64_t>(counts.size()));
    row_ring_ends.fill_up_to(rows, static_cast<std::int64_t>(ring_ends.size()));
}

void SegmentationColumn::append(const SegmentationColumn& more, std::size_t rows_before, std::size_t rows) {
    if (!more.used() && !used()) return;
    end_rows_up_to(rows_before);
    kind.append(more.kind.data(), more.kind.size());
    sizes.append(more.sizes.data(), more.sizes.size());
    append_ends(count_ends, more.count_ends, static_cast<std::int64_t>(counts.size()));
    counts.append(more.counts.data(), more.counts.size());
    append_ends(row_ring_ends, more.row_ring_ends, static_cast<std::int64_t>(ring_ends.size()));
    append_ends(ring_ends, more.ring_ends, static_cast<std::int64_t>(coordinates.size() / 2));
    coordinates.append(more.coordinates.data(), more.coordinates.size());
    end_rows_up_to(rows_before + rows);
}

void SegmentationColumn::clear() {
    kind.clear(), counts.clear(), count_ends.clear(), sizes.clear();
    coordinates.clear(), ring_ends.clear(), row_ring_ends.clear();
}

void SegmentationColumn::rewind(const Mark& mark) {
    counts.truncate(mark.counts), coordinates.truncate(mark.coordinates), ring_ends.truncate(mark.rings);
}

// --- rows ----------------------------------------------------------------------------------------------

void RowsBase::append_base(const RowsBase& more, std::size_t max_problems) {
    any = static_cast<std::uint8_t>(any | more.any);
    all = static_cast<std::uint8_t>(all & more.all);
    seen.append(more.seen.data(), more.seen.size());
    extras.append(more.extras, rows, more.rows);
    for (const Problem& problem : more.problems) {
        if (problems.size() == max_problems) break;
        problems.push_back(problem);
        problems.back().row += rows;
    }
    problem_count += more.problem_count;
    for (std::size_t i = 0; i < nulls.size(); ++i) nulls[i] += more.nulls[i];
}

void RowsBase::clear_base() {
    rows = 0;
    any = 0, all = 0xFF;
    seen.clear(), extras.clear(), problems.clear();
    problem_count = 0;
    nulls.fill(0);
}

void RowsBase::truncate_base() {
    cut(seen, rows);
    cut_text(extras, rows);
    while (!problems.empty() && problems.back().row >= rows) problems.pop_back();
}

void AnnotationRows::append(const AnnotationRows& more, std::size_t max_problems) {
    const auto used = [&](AnnotationField field) { return (more.any >> field & 1) != 0; };
    image_id.append(more.image_id, rows, more.rows);
    category_id.append(more.category_id, rows, more.rows);
    id.append(more.id, rows, more.rows);
    append_values(bbox, more.bbox, used(kBbox), rows, 4, kNoNumber);
    append_values(score, more.score, used(kScore), rows, 1, kNoNumber);
    append_values(area, more.area, used(kArea), rows, 1, kNoNumber);
    append_values(iscrowd, more.iscrowd, used(kIscrowd), rows, 1, std::uint8_t{0});
    segmentation.append(more.segmentation, rows, more.rows);
    append_base(more, max_problems);
    rows += more.rows;
}

void AnnotationRows::clear() {
    clear_base();
    image_id.clear(), category_id.clear(), id.clear();
    bbox.clear(), score.clear(), area.clear(), iscrowd.clear();
    segmentation.clear();
}

void AnnotationRows::truncate() {
    truncate_base();
    cut_ids(image_id, rows), cut_ids(category_id, rows), cut_ids(id, rows);
    cut(bbox, 4 * rows), cut(score, rows), cut(area, rows), cut(iscrowd, rows);
    if (segmentation.used()) {
        cut(segmentation.kind, rows), cut(segmentation.sizes, 2 * rows);
        cut(segmentation.count_ends, rows), cut(segmentation.row_ring_ends, rows);
        const auto last = [&](const Column<std::int64_t>& ends) {
            return rows == 0 ? 0 : static_cast<std::size_t>(ends[rows - 1]);
        };
        segmentation.counts.truncate(last(segmentation.count_ends));
        const std::size_t rings = last(segmentation.row_ring_ends);
        cut(segmentation.ring_ends, rings);
        segmentation.coordinates.truncate(rings == 0 ? 0
                                                     : 2 * static_cast<std::size_t>(segmentation.ring_ends[rings - 1]));
    }
}

void AnnotationRows::end_row() {
    image_id.values.fill_up_to(rows, 0);
    category_id.values.fill_up_to(rows, 0);
    id.values.fill_up_to(rows, 0);
    for (IdColumn* ids : {&image_id, &category_id, &id}) {
        if (ids->text.used()) ids->text.end_rows_up_to(rows);
    }
    bbox.fill_up_to(4 * rows, kNoNumber);
    score.fill_up_to(rows, kNoNumber);
    area.fill_up_to(rows, kNoNumber);
    iscrowd.fill_up_to(rows, 0);
    if (segmentation.used()) segmentation.end_rows_up_to(rows);
}

void ImageRows::append(const ImageRows& more, std::size_t max_problems) {
    id.append(more.id, rows, more.rows);
    append_values(width, more.width, (more.any >> kWidth & 1) != 0, rows, 1, std::int64_t{0});
    append_values(height, more.height, (more.any >> kHeight & 1) != 0, rows, 1, std::int64_t{0});
    file_name.append(more.file_name, rows, more.rows);
    append_base(more, max_problems);
    rows += more.rows;
}

void ImageRows::clear() {
    clear_base();
    id.clear(), width.clear(), height.clear(), file_name.clear();
}

void ImageRows::truncate() {
    truncate_base();
    cut_ids(id, rows), cut(width, rows), cut(height, rows), cut_text(file_name, rows);
}

void ImageRows::end_row() {
    id.values.fill_up_to(rows, 0);
    if (id.text.used()) id.text.end_rows_up_to(rows);
    width.fill_up_to(rows, 0);
    height.fill_up_to(rows, 0);
    if (file_name.used()) file_name.end_rows_up_to(rows);
}

void CategoryRows::append(const CategoryRows& more, std::size_t max_problems) {
    id.append(more.id, rows, more.rows);
    name.append(more.name, rows, more.rows);
    supercategory.append(more.supercategory, rows, more.rows);
    append_base(more, max_problems);
    rows += more.rows;
}

void CategoryRows::clear() {
    clear_base();
    id.clear(), name.clear(), supercategory.clear();
}

void CategoryRows::truncate() {
    truncate_base();
    cut_ids(id, rows), cut_text(name, rows), cut_text(supercategory, rows);
}

void CategoryRows::end_row() {
    id.values.fill_up_to(rows, 0);
    for (TextColumn* text : {&id.text, &name, &supercategory}) {
        if (text->used()) text->end_rows_up_to(rows);
    }
}

}  // namespace rapideval::reading
