// Columns into text.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/module.hpp"
#include "common/error.hpp"
#include "common/parallel.hpp"
#include "writing/rows.hpp"

namespace rapideval::bindings {

namespace {

using TextData = In<std::uint8_t, 1>;
using Offsets = In<std::int64_t, 1>;

writing::Texts texts_of(const TextData& data, const Offsets& offsets) {
    return {{reinterpret_cast<const char*>(data.data()), data.shape(0)}, span_of(offsets)};
}

std::string_view view_of(const nb::bytes& bytes) { return {bytes.c_str(), bytes.size()}; }

// An array of the stated dtype and dimensions, else CoreError: no array is converted.
template <typename Array>
Array array_from(nb::handle object, const char* expected) {
    Array array;
    if (!nb::try_cast<Array>(object, array, false)) {
        throw Error("text-column", nb::cast<std::string>(nb::str(object.type())), expected);
    }
    return array;
}

// Columns as they come from Python, and what keeps their memory.
struct Columns {
    std::vector<writing::Column> columns;
    std::vector<nb::object> owners;

    void add(const nb::tuple& given) {
        if (given.size() != 5)
            throw Error("text-column", "a tuple of another length", "kind, values, offsets, index, present");
        const auto kind = nb::cast<std::string>(given[0]);
        writing::Column column;
        owners.push_back(nb::borrow(given));
        column.is_array = kind == "int-array" || kind == "float-array";
        if (kind == "int" || kind == "int-array") {
            column.kind = writing::Column::Kind::kInteger;
            set_numbers<std::int64_t>(given[1], column.integers, column.width, "an int64 array");
        } else if (kind == "float" || kind == "float-array") {
            column.kind = writing::Column::Kind::kFloat;
            set_numbers<double>(given[1], column.floats, column.width, "a float64 array");
        } else {
            column.kind =
                kind == "text"     ? writing::Column::Kind::kText
                : kind == "string" ? writing::Column::Kind::kString
                : kind == "members"
                    ? writing::Column::Kind::kMembers
                    : throw Error("text-column", kind, "int, float, int-array, float-array, text, string or members");
            column.texts = texts_of(array_from<TextData>(given[1], "a uint8 array"),
                                    array_from<Offsets>(given[2], "an int64 array of offsets"));
        }
        if (!given[3].is_none()) {
            column.has_index = true;
            column.index = span_of(array_from<In<std::int32_t, 1>>(given[3], "an int32 array as index"));
        }
        if (!given[4].is_none()) {
            column.has_present = true;
            const auto flags = array_from<In<bool, 1>>(given[4], "a bool array of rows that are present");
            column.present = {reinterpret_cast<const std::uint8_t*>(flags.data()), flags.shape(0)};
        }
        columns.push_back(column);
    }

    template <typename T>
    static void set_numbers(nb::handle object, std::span<const T>& values, std::size_t& width, const char* expected) {
        In<T, 2> table;
        if (nb::try_cast<In<T, 2>>(object, table, false)) {
            values = span_of(table);
            width = table.shape(1);
        } else {
            values = span_of(array_from<In<T, 1>>(object, expected));
        }
    }
};

nb::tuple to_python(writing::OwnTexts&& texts) {
    return nb::make_tuple(to_numpy(std::move(texts.data)), to_numpy(std::move(texts.offsets)));
}

nb::tuple format_rows(const nb::list& literals, const nb::list& columns, std::size_t rows, const nb::bytes& separator,
                      int threads) {
    std::vector<std::string_view> pieces;
    for (nb::handle literal : literals) pieces.push_back(view_of(nb::cast<nb::bytes>(literal)));
    Columns given;
    for (nb::handle column : columns) given.add(nb::cast<nb::tuple>(column));
    const std::string_view between = view_of(separator);
    writing::OwnTexts result;
    {
        const nb::gil_scoped_release release;
        result = writing::format_rows(pieces, given.columns, rows, between, thread_count(threads));
    }
    return to_python(std::move(result));
}

nb::tuple join_texts(TextData data, Offsets offsets, Offsets groups, const nb::bytes& open, const nb::bytes& separator,
                     const nb::bytes& close, int threads) {
    const std::string_view before = view_of(open), between = view_of(separator), after = view_of(close);
    writing::OwnTexts result;
    {
        const nb::gil_scoped_release release;
        result = writing::join_texts(texts_of(data, offsets), span_of(groups), before, between, after,
                                     thread_count(threads));
    }
    return to_python(std::move(result));
}

}  // namespace

void bind_writing(nb::module_& m) {
    using namespace nb::literals;
    m.def("format_rows", &format_rows, "literals"_a, "columns"_a, "rows"_a, "separator"_a = nb::bytes(",", 1),
          "threads"_a = 0);
    m.def("join_texts", &join_texts, array("data"), array("offsets"), array("groups"), "open"_a, "separator"_a,
          "close"_a, "threads"_a = 0);
}

}  // namespace rapideval::bindings
