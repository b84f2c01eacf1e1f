// Masks: measures, IoU. Contracts: rapideval/_core.pyi.
#include "bindings/masks.hpp"

#include "bindings/module.hpp"
#include "common/parallel.hpp"
#include "masks/iou.hpp"
#include "masks/measure.hpp"

namespace rapideval::bindings {

namespace {

void check(Counts counts, Offsets offsets, Sizes sizes) {
    const nb::gil_scoped_release release;
    checked_masks(counts, offsets, sizes);
}

Out<std::int64_t> area(Counts counts, Offsets offsets, int threads) {
    std::vector<std::int64_t> result;
    {
        const nb::gil_scoped_release release;
        masks::check_offsets(span_of(offsets), counts.shape(0), "rle-offsets", "offsets");
        result = masks::areas(span_of(counts), span_of(offsets), thread_count(threads));
    }
    return to_numpy(std::move(result));
}

Out<double> box(Counts counts, Offsets offsets, Sizes sizes, int threads) {
    std::vector<double> result;
    {
        const nb::gil_scoped_release release;
        result = masks::boxes(checked_masks(counts, offsets, sizes, threads), thread_count(threads));
    }
    const std::size_t rows = result.size() / 4;
    return to_numpy(std::move(result), {rows, 4});
}

Out<double> iou_matrix(Counts a_counts, Offsets a_offsets, Sizes a_sizes, Counts b_counts, Offsets b_offsets,
                       Sizes b_sizes, In<bool, 1> b_crowd, int threads) {
    std::vector<double> result;
    {
        const nb::gil_scoped_release release;
        result =
            masks::iou_matrix(checked_masks(a_counts, a_offsets, a_sizes), checked_masks(b_counts, b_offsets, b_sizes),
                              flags_of(b_crowd), thread_count(threads));
    }
    return to_numpy(std::move(result), {a_offsets.shape(0) - 1, b_offsets.shape(0) - 1});
}

Out<double> iou_pairs(Counts a_counts, Offsets a_offsets, Sizes a_sizes, Counts b_counts, Offsets b_offsets,
                      Sizes b_sizes, In<bool, 1> b_crowd, In<std::int64_t, 2> pairs, int threads) {
    std::vector<double> result;
    {
        const nb::gil_scoped_release release;
        check_width(pairs, 2, "mask-pair", "pairs (P, 2)");
        result =
            masks::iou_pairs(checked_masks(a_counts, a_offsets, a_sizes), checked_masks(b_counts, b_offsets, b_sizes),
                             flags_of(b_crowd), span_of(pairs), thread_count(threads));
    }
    return to_numpy(std::move(result));
}

}  // namespace

void bind_masks(nb::module_& m) {
    using namespace nb::literals;
    m.def("rle_check", &check, array("counts"), array("offsets"), array("sizes"));
    m.def("rle_area", &area, array("counts"), array("offsets"), "threads"_a = 0);
    m.def("rle_box", &box, array("counts"), array("offsets"), array("sizes"), "threads"_a = 0);
    m.def("rle_iou_matrix", &iou_matrix, array("a_counts"), array("a_offsets"), array("a_sizes"), array("b_counts"),
          array("b_offsets"), array("b_sizes"), array("b_crowd"), "threads"_a = 0);
    m.def("rle_iou_pairs", &iou_pairs, array("a_counts"), array("a_offsets"), array("a_sizes"), array("b_counts"),
          array("b_offsets"), array("b_sizes"), array("b_crowd"), array("pairs"), "threads"_a = 0);
    bind_mask_codecs(m);
    bind_mask_algebra(m);
}

}  // namespace rapideval::bindings
