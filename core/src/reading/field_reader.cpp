// The values of members that become columns: ids, numbers, text, boxes. Masks: segmentation_reader.cpp.
#include <cmath>
#include <utility>

#include "reading/integers.hpp"
#include "reading/row_reader.hpp"

namespace rapideval::reading {

void FieldReader::add_problem(const Cursor& cursor, const char* at, std::string rule, std::string path,
                              std::string found, std::string expected, std::string hint) {
    ++row_problems_;
    if (base_.problems.size() == options_.max_problems) return;
    base_.problems.push_back({base_.rows, cursor.offset(at), std::move(rule), std::move(path), std::move(found),
                              std::move(expected), std::move(hint)});
}

// The value at `begin` is not what the field holds: say so, and skip it.
bool FieldReader::refuse(Cursor& cursor, const char* begin, int field, const char* rule, std::string expected,
                         std::string hint) {
    cursor.p = begin;
    cursor.skip_value();
    add_problem(cursor, begin, rule, path_step(names_[static_cast<std::size_t>(field)]),
                describe_value(begin, cursor.p), std::move(expected), std::move(hint));
    return false;
}

bool FieldReader::null_value(Cursor& cursor, int field) {
    cursor.skip_value();
    null_ |= 1u << field;
    return false;
}

bool FieldReader::read_id(Cursor& cursor, int field, IdColumn& column) {
    const char* begin = cursor.p;
    if (number_ahead(cursor)) {
        std::int64_t value;
        if (!take_integer(cursor, value))
            return refuse(cursor, begin, field, "coco-id", "an integer of 64 bits, or text");
        column.values.push_back(value);
        if (column.first_integer == IdColumn::kNone) column.first_integer = base_.rows;
        return true;
    }
    if (cursor.peek() != '"') return refuse(cursor, begin, field, "coco-id", "an integer of 64 bits, or text");
    const RawString raw = cursor.string();
    decoded_.clear();
    if (decode_string(raw, decoded_)) return refuse(cursor, begin, field, "json-surrogate", "whole surrogate pairs");
    column.text.end_rows_up_to(base_.rows);
    column.text.data.append(decoded_.data(), decoded_.size());
    column.text.end_rows_up_to(base_.rows + 1);
    column.values.push_back(0);
    if (column.first_text == IdColumn::kNone) column.first_text = base_.rows;
    return true;
}

bool FieldReader::read_real(Cursor& cursor, int field, Column<double>& column) {
    const char* begin = cursor.p;
    if (number_ahead(cursor)) {
        const double value = cursor.number();
        if (!std::isfinite(value))
            return refuse(cursor, begin, field, "coco-number", "a number within the range of a double");
        column.push_back(value);
        return true;
    }
    if (cursor.peek() == 'n') return null_value(cursor, field);
    return refuse(cursor, begin, field, "coco-number", "a number");
}

bool FieldReader::read_flag(Cursor& cursor, int field, Column<std::uint8_t>& column) {
    const char* begin = cursor.p;
    const char c = cursor.peek();
    std::int64_t value = -1;
    if (c == 'n') return null_value(cursor, field);
    if (number_ahead(cursor)) {
        if (!take_integer(cursor, value)) value = -1;
    } else if (c == 't' || c == 'f') {
        cursor.skip_value();
        value = c == 't';
    }
    if (value != 0 && value != 1) return refuse(cursor, begin, field, "coco-iscrowd", "0 or 1");
    column.push_back(static_cast<std::uint8_t>(value));
    return true;
}

bool FieldReader::read_length(Cursor& cursor, int field, Column<std::int64_t>& column) {
    const char* begin = cursor.p;
    std::int64_t value;
    if (cursor.peek() == 'n') return null_value(cursor, field);
    if (!number_ahead(cursor) || !take_integer(cursor, value))
        return refuse(cursor, begin, field, "coco-size", "a whole number of pixels");
    column.push_back(value);
    return true;
}

bool FieldReader::read_text(Cursor& cursor, int field, TextColumn& column) {
    const char* begin = cursor.p;
    if (cursor.peek() == 'n') return null_value(cursor, field);
    if (cursor.peek() != '"') return refuse(cursor, begin, field, "coco-text", "text");
    const RawString raw = cursor.string();
    decoded_.clear();
    if (decode_string(raw, decoded_)) {
        return refuse(cursor, begin, field, "json-surrogate", "whole surrogate pairs",
                      "a file name that is not Unicode on the system that wrote it");
    }
    column.end_rows_up_to(base_.rows);
    column.data.append(decoded_.data(), decoded_.size());
    column.end_rows_up_to(base_.rows + 1);
    return true;
}

bool FieldReader::read_box(Cursor& cursor, int field, Column<double>& column) {
    const char* begin = cursor.p;
    if (cursor.peek() == 'n') return null_value(cursor, field);
    double box[4];
    int n = 0;
    if (cursor.take('[')) {
        do {
            cursor.skip_space();
            if (!number_ahead(cursor)) break;
            box[n++] = cursor.number();
            cursor.skip_space();
        } while (n < 4 && cursor.take(','));
        if (n == 4 && cursor.take(']') && std::isfinite(box[0]) && std::isfinite(box[1]) && std::isfinite(box[2]) &&
            std::isfinite(box[3])) {
            column.append(box, 4);
            return true;
        }
    }
    return refuse_box(cursor, begin);
}

// Says what is wrong with a box.
bool FieldReader::refuse_box(Cursor& cursor, const char* begin) {
    cursor.p = begin;
    cursor.skip_value();
    if (*begin != '[') {
        add_problem(cursor, begin, "coco-bbox", ".bbox", describe_value(begin, cursor.p),
                    "a list of x, y, width, height");
        return false;
    }
    Cursor inside(cursor.origin(), begin + 1, cursor.p, cursor.max_depth());
    std::size_t count = 0;
    inside.skip_space();
    if (!inside.take(']')) {
        do {
            const char* element = inside.p;
            const bool right = number_ahead(inside) && std::isfinite(inside.number());
            if (!right) {
                add_problem(cursor, element, "coco-bbox", ".bbox" + path_step(count), describe_value(element, cursor.p),
                            "a finite number");
                return false;
            }
            ++count;
        } while (inside.next(']'));
    }
    add_problem(cursor, begin, "coco-bbox", ".bbox",
                "a list of " + std::to_string(count) + (count == 1 ? " number" : " numbers"), "x, y, width, height");
    return false;
}

bool FieldReader::read_field(Cursor& cursor, int field, AnnotationRows& rows) {
    switch (field) {
        case kImageId:
            return read_id(cursor, field, rows.image_id);
        case kCategoryId:
            return read_id(cursor, field, rows.category_id);
        case kBbox:
            return read_box(cursor, field, rows.bbox);
        case kScore:
            return read_real(cursor, field, rows.score);
        case kArea:
            return read_real(cursor, field, rows.area);
        case kIscrowd:
            return read_flag(cursor, field, rows.iscrowd);
        case kId:
            return read_id(cursor, field, rows.id);
        default:
            return read_segmentation(cursor, field, rows.segmentation);
    }
}

bool FieldReader::read_field(Cursor& cursor, int field, ImageRows& rows) {
    switch (field) {
        case kImageKey:
            return read_id(cursor, field, rows.id);
        case kWidth:
            return read_length(cursor, field, rows.width);
        case kHeight:
            return read_length(cursor, field, rows.height);
        default:
            return read_text(cursor, field, rows.file_name);
    }
}

bool FieldReader::read_field(Cursor& cursor, int field, CategoryRows& rows) {
    switch (field) {
        case kCategoryKey:
            return read_id(cursor, field, rows.id);
        case kName:
            return read_text(cursor, field, rows.name);
        default:
            return read_text(cursor, field, rows.supercategory);
    }
}

}  // namespace rapideval::reading
