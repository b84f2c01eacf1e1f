// Semantic segmentation. Contracts: rapideval/_core.pyi.
#include "bindings/masks.hpp"
#include "bindings/module.hpp"
#include "common/parallel.hpp"
#include "semantic/confusion.hpp"

namespace rapideval::bindings {

namespace {

nb::dict compare(Sizes sizes, Counts t_counts, Offsets t_offsets, Sizes t_sizes, In<std::int32_t, 1> t_image,
                 In<std::int32_t, 1> t_label, In<bool, 1> t_ignore, Counts p_counts, Offsets p_offsets, Sizes p_sizes,
                 In<std::int32_t, 1> p_image, In<std::int32_t, 1> p_label, std::size_t labels, bool ignore_unlabelled,
                 int threads) {
    constexpr std::size_t kMaxLabels = 1 << 14;  // the matrix of confusion is labels squared
    semantic::Comparison result;
    {
        const nb::gil_scoped_release release;
        check_width(sizes, 2, "rle-sizes", "sizes (I, 2)");
        if (labels > kMaxLabels) {
            throw Error("label-count", std::to_string(labels) + " labels", "at most " + std::to_string(kMaxLabels));
        }
        const semantic::Side truth{checked_masks(t_counts, t_offsets, t_sizes), span_of(t_image), span_of(t_label),
                                   flags_of(t_ignore)};
        const semantic::Side predicted{
            checked_masks(p_counts, p_offsets, p_sizes), span_of(p_image), span_of(p_label), {}};
        result = semantic::compare(span_of(sizes), truth, predicted, labels, ignore_unlabelled, thread_count(threads));
    }
    const std::size_t images = sizes.shape(0);
    nb::dict columns;
    columns["image"] = to_numpy(std::move(result.image));
    columns["label"] = to_numpy(std::move(result.label));
    columns["truth"] = to_numpy(std::move(result.truth));
    columns["predicted"] = to_numpy(std::move(result.predicted));
    columns["intersection"] = to_numpy(std::move(result.intersection));
    columns["confusion"] = to_numpy(std::move(result.confusion), {labels + 1, labels + 1});
    columns["ignored"] = to_numpy(std::move(result.ignored));
    columns["covered"] = to_numpy(std::move(result.covered), {images, 2});
    return columns;
}

}  // namespace

void bind_semantic(nb::module_& m) {
    m.def("semantic_compare", &compare, nb::arg("sizes"), nb::arg("t_counts"), nb::arg("t_offsets"), nb::arg("t_sizes"),
          nb::arg("t_image"), nb::arg("t_label"), nb::arg("t_ignore"), nb::arg("p_counts"), nb::arg("p_offsets"),
          nb::arg("p_sizes"), nb::arg("p_image"), nb::arg("p_label"), nb::arg("labels"),
          nb::arg("ignore_unlabelled") = false, nb::arg("threads") = 0);
}

}  // namespace rapideval::bindings
