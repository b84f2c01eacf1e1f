// Columns into text, a row at a time: the writers of JSON arrays, JSON lines, CSV and the like.
//
// A row is literal, column, literal, column, ..., literal. Where a row lacks a column's value, the value and
// the literal before it are left out, so that optional members of an object carry their key and comma in that
// literal.
//
// Rows are formatted in blocks, each into memory of its own, then laid one after another: the text does not
// depend on the number of threads, and is touched twice only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/buffer.hpp"

namespace rapideval::writing {

// Ragged text: row i is data[offsets[i]:offsets[i + 1]].
struct Texts {
    std::string_view data;
    std::span<const std::int64_t> offsets;

    std::size_t size() const { return offsets.size() - 1; }
    std::string_view operator[](std::size_t i) const {
        return data.substr(static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
    }
};

// Throws unless the offsets rise from 0 to the size of the text.
void check_texts(const Texts& texts, const char* what);

struct Column {
    enum class Kind {
        kInteger,
        kFloat,
        kText,     // as it is
        kString,   // as a JSON string: quoted, with escapes
        kMembers,  // the members of a JSON object, without its braces
    };

    Kind kind = Kind::kInteger;
    std::span<const std::int64_t> integers;
    std::span<const double> floats;
    std::size_t width = 1;  // numbers of a value, written with the separator between them
    bool is_array = false;  // those numbers stand in brackets
    Texts texts;
    bool has_index = false;  // row i shows value index[i]
    std::span<const std::int32_t> index;
    bool has_present = false;  // which rows have a value
    std::span<const std::uint8_t> present;

    std::size_t values() const;
    std::size_t rows() const { return has_index ? index.size() : values(); }
};

struct OwnTexts {
    Buffer<std::uint8_t> data;
    Buffer<std::int64_t> offsets;
};

// literals: one more than columns. A float that is not finite, an index out of range, a column of another
// length throw.
OwnTexts format_rows(std::span<const std::string_view> literals, std::span<const Column> columns, std::size_t rows,
                     std::string_view separator, std::size_t threads);

// One text for each group of consecutive texts groups[g]:groups[g + 1]: open, the texts with separators,
// close.
OwnTexts join_texts(const Texts& texts, std::span<const std::int64_t> groups, std::string_view open,
                    std::string_view separator, std::string_view close, std::size_t threads);

}  // namespace rapideval::writing
