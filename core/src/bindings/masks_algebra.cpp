// Masks made of masks and of polygons.
#include <nanobind/stl/string.h>

#include "bindings/masks.hpp"
#include "common/parallel.hpp"
#include "masks/algebra.hpp"
#include "masks/outline.hpp"
#include "masks/polygon.hpp"

namespace rapideval::bindings {

namespace {

masks::Operation operation(const std::string& name) {
    if (name == "union") return masks::Operation::kUnion;
    if (name == "intersection") return masks::Operation::kIntersection;
    if (name == "difference") return masks::Operation::kDifference;
    throw Error("mask-operation", '"' + name + '"', "\"union\", \"intersection\" or \"difference\"");
}

nb::tuple combine(Counts counts, Offsets offsets, Sizes sizes, Offsets groups, const std::string& op, int threads) {
    masks::RaggedRuns result;
    {
        const nb::gil_scoped_release release;
        result = masks::combine(checked_masks(counts, offsets, sizes), span_of(groups), operation(op),
                                thread_count(threads));
    }
    return runs_to_numpy(std::move(result));
}

nb::tuple crop(Counts counts, Offsets offsets, Sizes sizes, In<std::int64_t, 2> windows, int threads) {
    masks::RaggedRuns result;
    {
        const nb::gil_scoped_release release;
        check_width(windows, 4, "crop-window", "windows (N, 4)");
        result = masks::crop(checked_masks(counts, offsets, sizes), span_of(windows), thread_count(threads));
    }
    return runs_to_numpy(std::move(result));
}

nb::tuple from_polygons(In<double, 2> coordinates, Offsets ring_offsets, Offsets row_offsets, In<bool, 1> ring_is_hole,
                        Sizes sizes, int threads) {
    masks::RaggedRuns result;
    {
        const nb::gil_scoped_release release;
        check_width(coordinates, 2, "polygon-offsets", "coordinates (P, 2)");
        check_width(sizes, 2, "rle-sizes", "sizes (N, 2)");
        result = masks::from_polygons(
            {span_of(coordinates), span_of(ring_offsets), span_of(row_offsets), flags_of(ring_is_hole), span_of(sizes)},
            thread_count(threads));
    }
    return runs_to_numpy(std::move(result));
}

nb::tuple outlines(Counts counts, Offsets offsets, Sizes sizes, int connectivity, int threads) {
    masks::Outlines result;
    {
        const nb::gil_scoped_release release;
        if (connectivity != 4 && connectivity != 8)
            throw Error("outline-connectivity", std::to_string(connectivity), "4 or 8");
        result = masks::outlines(checked_masks(counts, offsets, sizes),
                                 connectivity == 4 ? masks::Connectivity::kFour : masks::Connectivity::kEight,
                                 thread_count(threads));
    }
    const std::size_t points = result.points.size() / 2;
    return nb::make_tuple(to_numpy(std::move(result.points), {points, 2}), to_numpy(std::move(result.ring_offsets)),
                          to_numpy(std::move(result.row_offsets)), flags_to_numpy(std::move(result.ring_is_hole)));
}

}  // namespace

void bind_mask_algebra(nb::module_& m) {
    using namespace nb::literals;
    m.def("rle_combine", &combine, array("counts"), array("offsets"), array("sizes"), array("groups"), "op"_a,
          "threads"_a = 0);
    m.def("rle_crop", &crop, array("counts"), array("offsets"), array("sizes"), array("windows"), "threads"_a = 0);
    m.def("rle_from_polygons", &from_polygons, array("coordinates"), array("ring_offsets"), array("row_offsets"),
          array("ring_is_hole"), array("sizes"), "threads"_a = 0);
    m.def("rle_outlines", &outlines, array("counts"), array("offsets"), array("sizes"), "connectivity"_a = 4,
          "threads"_a = 0);
}

}  // namespace rapideval::bindings
