// Bindings of core/src/matching: NumPy columns in, NumPy columns out.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>

#include <memory>
#include <optional>
#include <tuple>
#include <variant>

#include "bindings/arrays.hpp"
#include "bindings/masks.hpp"
#include "bindings/module.hpp"
#include "common/error.hpp"
#include "common/parallel.hpp"
#include "matching/accumulate.hpp"
#include "matching/causes.hpp"
#include "matching/match.hpp"
#include "matching/others.hpp"
#include "matching/overlap.hpp"

namespace rapideval::bindings {

using namespace matching;

namespace {

// Moves a result to NumPy under this name.
template <typename T>
void put(nb::dict& out, const char* name, Buffer<T>&& values) {
    out[name] = to_numpy(std::move(values));
}

template <typename T>
void put(nb::dict& out, const char* name, Buffer<T>&& values, std::initializer_list<std::size_t> shape) {
    out[name] = to_numpy(std::move(values), shape);
}

nb::dict to_dict(MatchTable&& table) {
    nb::dict out;
    const std::size_t rows = table.row.size();
    const std::size_t objects = table.object_ignored.size();
    put(out, "label_offsets", std::move(table.label_offsets));
    put(out, "row", std::move(table.row));
    put(out, "image", std::move(table.image));
    put(out, "score", std::move(table.score));
    put(out, "rank", std::move(table.rank));
    put(out, "iou", std::move(table.iou));
    put(out, "iou_row", std::move(table.iou_row));
    put(out, "matched_iou", std::move(table.matched_iou));
    put(out, "matched_row", std::move(table.matched_row));
    put(out, "matched", std::move(table.matched), {rows, table.words});
    put(out, "ignored", std::move(table.ignored), {rows, table.words});
    put(out, "object_ignored", std::move(table.object_ignored));
    put(out, "object_matched", std::move(table.object_matched), {objects, table.words});
    return out;
}

using Boxes = In<double, 2>;
using MaskColumns = std::tuple<Counts, Offsets, Sizes>;
using Shapes = std::variant<Boxes, MaskColumns>;

void check_rows(std::size_t found, std::size_t rows, const char* name) {
    if (found == rows) return;
    throw Error("column-length", std::to_string(found) + " rows", std::to_string(rows) + " rows").at_path(name);
}

std::span<const double> boxes_of(const Boxes& boxes, std::size_t rows, const char* name) {
    check_width(boxes, 4, "box-shape", "boxes (N, 4)");
    check_rows(boxes.shape(0), rows, name);
    return span_of(boxes);
}

masks::MaskSet masks_of(const MaskColumns& columns, std::size_t rows, const char* name) {
    const auto& [counts, offsets, sizes] = columns;
    check_width(sizes, 2, "rle-sizes", "sizes (N, 2)");
    check_rows(sizes.shape(0), rows, name);
    check_rows(offsets.shape(0), rows + 1, name);
    return {span_of(counts), span_of(offsets), span_of(sizes)};
}

std::unique_ptr<Overlap> overlap_of(const Shapes& detections, std::size_t detection_rows, const Shapes& objects,
                                    std::size_t object_rows, matching::Flags crowd, int threads) {
    if (detections.index() != objects.index()) {
        throw Error("shape-kind", "boxes on one side and masks on the other", "boxes on both or masks on both");
    }
    if (std::holds_alternative<Boxes>(detections)) {
        return std::make_unique<BoxOverlap>(boxes_of(std::get<Boxes>(detections), detection_rows, "predictions.box"),
                                            boxes_of(std::get<Boxes>(objects), object_rows, "ground_truth.box"), crowd);
    }
    return std::make_unique<MaskOverlap>(
        masks_of(std::get<MaskColumns>(detections), detection_rows, "predictions.masks"),
        masks_of(std::get<MaskColumns>(objects), object_rows, "ground_truth.masks"), crowd, thread_count(threads));
}

nb::dict match_rows(const In<std::int32_t, 1>& prediction_image, const In<std::int32_t, 1>& prediction_label,
                    const In<double, 1>& prediction_score, const In<double, 1>& prediction_area,
                    const Shapes& prediction_shapes, const In<std::int32_t, 1>& truth_image,
                    const In<std::int32_t, 1>& truth_label, const In<double, 1>& truth_area, const Shapes& truth_shapes,
                    const In<bool, 1>& truth_crowd, const std::optional<In<bool, 1>>& truth_ignore,
                    const In<std::int32_t, 1>& image_rank, std::size_t labels, const In<double, 1>& iou_thresholds,
                    const In<double, 2>& area_ranges, std::int64_t max_detections, std::size_t reference,
                    double iou_floor, bool class_agnostic, int threads) {
    check_width(area_ranges, 2, "protocol-ranges", "area ranges (A, 2)");
    const Rows detections{span_of(prediction_image), span_of(prediction_label), span_of(prediction_area)};
    const Rows objects{span_of(truth_image), span_of(truth_label), span_of(truth_area)};
    const std::span<const double> scores = span_of(prediction_score);
    const matching::Flags crowd = flags_of(truth_crowd);
    const matching::Flags ignore = truth_ignore ? flags_of(*truth_ignore) : matching::Flags{};
    if (truth_ignore) check_rows(ignore.size(), objects.size(), "ground_truth.ignore");
    check_rows(crowd.size(), objects.size(), "ground_truth.crowd");
    MatchOptions options;
    options.image_rank = span_of(image_rank);
    options.labels = labels;
    options.iou_thresholds = span_of(iou_thresholds);
    options.area_ranges = span_of(area_ranges);
    options.max_detections = max_detections;
    options.reference = reference;
    options.iou_floor = iou_floor;
    options.class_agnostic = class_agnostic;
    options.threads = threads;
    MatchTable table;
    {
        const nb::gil_scoped_release release;
        const auto overlap =
            overlap_of(prediction_shapes, detections.size(), truth_shapes, objects.size(), crowd, threads);
        table = match(detections, scores, objects, crowd, ignore, *overlap, options);
    }
    return to_dict(std::move(table));
}

nb::dict explain_rows(const In<std::int32_t, 1>& prediction_image, const In<std::int32_t, 1>& prediction_label,
                      const In<double, 1>& prediction_score, const Shapes& prediction_shapes,
                      const In<std::int32_t, 1>& truth_image, const In<std::int32_t, 1>& truth_label,
                      const Shapes& truth_shapes, const In<bool, 1>& truth_crowd, const In<std::int32_t, 1>& image_rank,
                      double found, double background, std::size_t max_detections, int threads) {
    const Rows detections{span_of(prediction_image), span_of(prediction_label), {}};
    const Rows objects{span_of(truth_image), span_of(truth_label), {}};
    const matching::Flags crowd = flags_of(truth_crowd);
    check_rows(crowd.size(), objects.size(), "ground_truth.crowd");
    CauseOptions options;
    options.image_rank = span_of(image_rank);
    options.found = found;
    options.background = background;
    options.max_detections = max_detections;
    options.threads = threads;
    const std::span<const double> scores = span_of(prediction_score);
    CauseTable table;
    {
        const nb::gil_scoped_release release;
        const auto overlap =
            overlap_of(prediction_shapes, detections.size(), truth_shapes, objects.size(), crowd, threads);
        table = causes(detections, scores, objects, crowd, *overlap, options);
    }
    nb::dict out;
    put(out, "row", std::move(table.row));
    put(out, "cause", std::move(table.cause));
    put(out, "ignored", std::move(table.ignored));
    put(out, "object", std::move(table.object));
    put(out, "iou", std::move(table.iou));
    put(out, "found_by", std::move(table.found_by));
    put(out, "mended_by", std::move(table.mended_by));
    return out;
}

nb::tuple best_other_rows(const In<std::int32_t, 1>& prediction_image, const In<std::int32_t, 1>& prediction_label,
                          const Shapes& prediction_shapes, const In<std::int32_t, 1>& rows,
                          const In<std::int32_t, 1>& truth_image, const In<std::int32_t, 1>& truth_label,
                          const Shapes& truth_shapes, const In<bool, 1>& truth_crowd, std::size_t images,
                          double iou_floor, int threads) {
    const Rows detections{span_of(prediction_image), span_of(prediction_label), {}};
    const Rows objects{span_of(truth_image), span_of(truth_label), {}};
    const matching::Flags crowd = flags_of(truth_crowd);
    check_rows(crowd.size(), objects.size(), "ground_truth.crowd");
    Others others;
    {
        const nb::gil_scoped_release release;
        const auto overlap =
            overlap_of(prediction_shapes, detections.size(), truth_shapes, objects.size(), crowd, threads);
        others = best_others(detections, span_of(rows), objects, crowd, images, *overlap, iou_floor, threads);
    }
    return nb::make_tuple(to_numpy(std::move(others.iou)), to_numpy(std::move(others.row)));
}

nb::tuple accumulate_table(const In<std::int64_t, 1>& label_offsets, const In<double, 1>& score,
                           const In<std::int32_t, 1>& rank, const In<std::uint64_t, 2>& matched,
                           const In<std::uint64_t, 2>& ignored, std::size_t thresholds,
                           const In<std::int64_t, 2>& positives, const In<double, 1>& recall_thresholds,
                           const In<std::int64_t, 1>& limits, int threads) {
    TableView table;
    table.label_offsets = span_of(label_offsets);
    table.score = span_of(score);
    table.rank = span_of(rank);
    table.matched = span_of(matched);
    table.ignored = span_of(ignored);
    table.thresholds = thresholds;
    table.areas = positives.shape(1);
    Curves curves;
    {
        const nb::gil_scoped_release release;
        curves = accumulate(table, span_of(positives), span_of(recall_thresholds), span_of(limits), threads);
    }
    const std::size_t a = table.areas, m = limits.shape(0), t = thresholds;
    const std::size_t r = recall_thresholds.shape(0), k = table.labels();
    return nb::make_tuple(to_numpy(std::move(curves.precision), {a, m, t, r, k}),
                          to_numpy(std::move(curves.recall), {a, m, t, k}),
                          to_numpy(std::move(curves.scores), {a, m, t, r, k}));
}

}  // namespace

void bind_matching(nb::module_& m) {
    using namespace nb::literals;
    const auto array = [](const char* name) { return nb::arg(name).noconvert(); };
    m.def("match", &match_rows, array("prediction_image"), array("prediction_label"), array("prediction_score"),
          array("prediction_area"), array("prediction_shapes"), array("truth_image"), array("truth_label"),
          array("truth_area"), array("truth_shapes"), array("truth_crowd"), array("truth_ignore").none(),
          array("image_rank"), "labels"_a, array("iou_thresholds"), array("area_ranges"), "max_detections"_a,
          "reference"_a = 0, "iou_floor"_a = 0.1, "class_agnostic"_a = false, "threads"_a = 0);
    m.def("best_others", &best_other_rows, array("prediction_image"), array("prediction_label"),
          array("prediction_shapes"), array("rows"), array("truth_image"), array("truth_label"), array("truth_shapes"),
          array("truth_crowd"), "images"_a, "iou_floor"_a = 0.1, "threads"_a = 0);
    m.def("accumulate", &accumulate_table, array("label_offsets"), array("score"), array("rank"), array("matched"),
          array("ignored"), "thresholds"_a, array("positives"), array("recall_thresholds"), array("limits"),
          "threads"_a = 0);
    m.def("explain", &explain_rows, array("prediction_image"), array("prediction_label"), array("prediction_score"),
          array("prediction_shapes"), array("truth_image"), array("truth_label"), array("truth_shapes"),
          array("truth_crowd"), array("image_rank"), "found"_a = 0.5, "background"_a = 0.1, "max_detections"_a = 100,
          "threads"_a = 0);
}

}  // namespace rapideval::bindings
