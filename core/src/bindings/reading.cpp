// Readers of COCO-shaped JSON: rapideval._core.read_coco_results and its kin.
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <system_error>

#include "bindings/arrays.hpp"
#include "bindings/columns.hpp"
#include "bindings/errors.hpp"
#include "bindings/module.hpp"
#include "bindings/source.hpp"
#include "reading/coco_reader.hpp"
#include "reading/ids.hpp"

namespace rapideval::bindings {

namespace {

using namespace rapideval::reading;

// Row ends -> offsets, with the 0 in front.
nb::object offsets(Column<std::int64_t>& ends) {
    const std::size_t rows = ends.size();
    ends.extend(1);
    std::memmove(ends.data() + 1, ends.data(), rows * sizeof(std::int64_t));
    ends[0] = 0;
    return array(ends, {rows + 1});
}

nb::object text(TextColumn& column, std::size_t rows) {
    column.end_rows_up_to(rows);
    nb::dict result;
    result["data"] = array<char, std::uint8_t>(column.data);
    result["offsets"] = offsets(column.ends);
    return result;
}

nb::object ids(IdColumn& column, std::size_t rows) {
    if (column.first_text != IdColumn::kNone) return text(column.text, rows);
    if (column.first_integer != IdColumn::kNone) return array(column.values);
    return nb::none();
}

nb::object segmentation(SegmentationColumn& column, std::size_t rows) {
    nb::dict result;
    result["kind"] = array(column.kind);
    result["counts"] = array(column.counts);
    result["offsets"] = offsets(column.count_ends);
    result["sizes"] = array(column.sizes, {rows, 2});
    result["coordinates"] = array(column.coordinates, {column.coordinates.size() / 2, 2});
    result["ring_offsets"] = offsets(column.ring_ends);
    result["row_offsets"] = offsets(column.row_ring_ends);
    return result;
}

// What all rows have: their number, which keys they had, extras.
template <typename Rows>
nb::dict base(Rows& rows, bool extras) {
    nb::dict result, present, nulls;
    for (std::size_t field = 0; field < Rows::kNames.size(); ++field) {
        const nb::str name(Rows::kNames[field].data(), Rows::kNames[field].size());
        if (rows.rows != 0 && (rows.all >> field & 1) != 0) {
            present[name] = true;
        } else if ((rows.any >> field & 1) == 0) {
            present[name] = false;
        } else {
            Column<std::uint8_t> bits;
            std::uint8_t* to = bits.extend(rows.rows);
            for (std::size_t i = 0; i < rows.rows; ++i) to[i] = rows.seen[i] >> field & 1;
            present[name] = array<std::uint8_t, bool>(bits);
        }
        if (rows.nulls[field] != 0) nulls[name] = rows.nulls[field];
    }
    result["rows"] = rows.rows;
    result["present"] = present;
    result["nulls"] = nulls;
    result["extras"] = extras ? text(rows.extras, rows.rows) : nb::none();
    return result;
}

template <typename Rows>
bool has(const Rows& rows, int field) {
    return (rows.any >> field & 1) != 0;
}

nb::object annotations(AnnotationRows& rows, bool extras) {
    nb::dict result = base(rows, extras);
    result["image_id"] = ids(rows.image_id, rows.rows);
    result["category_id"] = ids(rows.category_id, rows.rows);
    result["id"] = ids(rows.id, rows.rows);
    result["bbox"] = has(rows, kBbox) ? array(rows.bbox, {rows.rows, 4}) : nb::none();
    result["score"] = has(rows, kScore) ? array(rows.score) : nb::none();
    result["area"] = has(rows, kArea) ? array(rows.area) : nb::none();
    result["iscrowd"] = has(rows, kIscrowd) ? array<std::uint8_t, bool>(rows.iscrowd) : nb::none();
    result["segmentation"] = has(rows, kSegmentation) ? segmentation(rows.segmentation, rows.rows) : nb::none();
    return result;
}

nb::object images(ImageRows& rows, bool extras) {
    nb::dict result = base(rows, extras);
    result["id"] = ids(rows.id, rows.rows);
    result["width"] = has(rows, kWidth) ? array(rows.width) : nb::none();
    result["height"] = has(rows, kHeight) ? array(rows.height) : nb::none();
    result["file_name"] = has(rows, kFileName) ? text(rows.file_name, rows.rows) : nb::none();
    return result;
}

nb::object categories(CategoryRows& rows, bool extras) {
    nb::dict result = base(rows, extras);
    result["id"] = ids(rows.id, rows.rows);
    result["name"] = has(rows, kName) ? text(rows.name, rows.rows) : nb::none();
    result["supercategory"] = has(rows, kSupercategory) ? text(rows.supercategory, rows.rows) : nb::none();
    return result;
}

nb::dict problems(const CocoDocument& document) {
    nb::dict result;
    nb::list list;
    for (const Error& problem : document.problems) list.append(to_python(problem));
    result["problems"] = list;
    result["problem_count"] = document.problem_count;
    return result;
}

CocoOptions coco_options(bool extras, int threads, std::int64_t max_problems, int max_depth, std::int64_t chunk_bytes) {
    if (max_problems < 0 || max_depth < 1 || max_depth > 1'000'000 || chunk_bytes < 0) {
        throw nb::value_error("max_problems and chunk_bytes are not negative, max_depth is 1 to 1,000,000");
    }
    return {extras, threads, static_cast<std::size_t>(max_problems), max_depth, static_cast<std::size_t>(chunk_bytes)};
}

template <typename Read>
CocoDocument run(nb::handle source, Read read) {
    const PythonSource text(source);
    const nb::gil_scoped_release release;
    return read(text.open());
}

nb::object read_coco_results(nb::object source, bool extras, int threads, std::int64_t max_problems, int max_depth,
                             std::int64_t chunk_bytes) {
    const CocoOptions options = coco_options(extras, threads, max_problems, max_depth, chunk_bytes);
    CocoDocument document = run(source, [&](const Source& text) { return read_results(text, options); });
    nb::dict result = problems(document);
    result["annotations"] = annotations(*document.annotations, extras);
    return result;
}

nb::object read_coco_dataset(nb::object source, bool extras, int threads, std::int64_t max_problems, int max_depth,
                             std::int64_t chunk_bytes) {
    const CocoOptions options = coco_options(extras, threads, max_problems, max_depth, chunk_bytes);
    CocoDocument document = run(source, [&](const Source& text) { return read_dataset(text, options); });
    nb::dict result = problems(document), top;
    result["images"] = document.images ? images(*document.images, extras) : nb::none();
    result["categories"] = document.categories ? categories(*document.categories, extras) : nb::none();
    result["annotations"] = document.annotations ? annotations(*document.annotations, extras) : nb::none();
    for (const auto& [name, json] : document.top)
        top[nb::str(name.data(), name.size())] = nb::bytes(json.data(), json.size());
    result["top"] = top;
    return result;
}

nb::object index_ids(In<std::int64_t, 1> values, In<std::int64_t, 1> keys, int threads) {
    Column<std::int32_t> rows;
    rows.extend(values.shape(0));
    {
        const nb::gil_scoped_release release;
        reading::index_ids(span_of(values), span_of(keys), {rows.data(), rows.size()}, threads);
    }
    return array(rows);
}

nb::object json_place(nb::object source, std::int64_t offset) {
    const PythonSource text(source);
    const Place place = find_place(text.open().text(), offset);
    return nb::make_tuple(place.line, nb::str(place.path.data(), place.path.size()));
}

}  // namespace

void bind_reading(nb::module_& m) {
    m.def("read_coco_results", &read_coco_results, nb::arg("source"), nb::arg("extras") = false, nb::arg("threads") = 0,
          nb::arg("max_problems") = 100, nb::arg("max_depth") = kDefaultMaxDepth, nb::arg("chunk_bytes") = 0);
    m.def("read_coco_dataset", &read_coco_dataset, nb::arg("source"), nb::arg("extras") = false, nb::arg("threads") = 0,
          nb::arg("max_problems") = 100, nb::arg("max_depth") = kDefaultMaxDepth, nb::arg("chunk_bytes") = 0);
    m.def("index_ids", &index_ids, nb::arg("values"), nb::arg("keys"), nb::arg("threads") = 0);
    m.def("json_place", &json_place, nb::arg("source"), nb::arg("offset"));
}

}  // namespace rapideval::bindings
