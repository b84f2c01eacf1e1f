// Weighted accumulation and the weights of draws. Contracts: rapideval/_core.pyi.
#include "bindings/arrays.hpp"
#include "bindings/module.hpp"
#include "matching/weighted.hpp"

namespace rapideval::bindings {

using namespace matching;

namespace {

nb::tuple accumulate_draws(const In<std::int64_t, 1>& label_offsets, const In<double, 1>& score,
                           const In<std::int32_t, 1>& rank, const In<std::uint64_t, 2>& matched,
                           const In<std::uint64_t, 2>& ignored, std::size_t thresholds, std::size_t areas,
                           const In<std::int32_t, 1>& image, const In<std::int32_t, 1>& object_image,
                           const In<std::int32_t, 1>& object_label, const In<std::uint64_t, 1>& object_ignored,
                           const In<double, 1>& recall_thresholds, const In<std::int64_t, 1>& limits,
                           const In<std::uint16_t, 2>& weights, int threads) {
    WeightedInput input;
    input.table.label_offsets = span_of(label_offsets);
    input.table.score = span_of(score);
    input.table.rank = span_of(rank);
    input.table.matched = span_of(matched);
    input.table.ignored = span_of(ignored);
    input.table.thresholds = thresholds;
    input.table.areas = areas;
    input.image = span_of(image);
    input.object_image = span_of(object_image);
    input.object_label = span_of(object_label);
    input.object_ignored = span_of(object_ignored);
    input.recall_thresholds = span_of(recall_thresholds);
    input.limits = span_of(limits);
    input.images = weights.shape(1);
    input.weights = span_of(weights);
    WeightedDraws draws;
    {
        const nb::gil_scoped_release release;
        draws = accumulate_weighted(input, threads);
    }
    const std::size_t b = weights.shape(0), k = input.table.labels();
    return nb::make_tuple(to_numpy(std::move(draws.precision), {b, k, areas, thresholds}),
                          to_numpy(std::move(draws.recall), {b, k, areas + limits.shape(0) - 1, thresholds}));
}

template <typename Kernel>
auto made(Kernel kernel, std::uint64_t seed, std::size_t first, std::size_t draws, std::size_t images, int threads) {
    decltype(kernel(seed, first, draws, images, threads)) values;
    {
        const nb::gil_scoped_release release;
        values = kernel(seed, first, draws, images, threads);
    }
    return to_numpy(std::move(values), {draws, images});
}

}  // namespace

void bind_resampling(nb::module_& m) {
    using namespace nb::literals;
    const auto array = [](const char* name) { return nb::arg(name).noconvert(); };
    m.def("accumulate_weighted", &accumulate_draws, array("label_offsets"), array("score"), array("rank"),
          array("matched"), array("ignored"), "thresholds"_a, "areas"_a, array("image"), array("object_image"),
          array("object_label"), array("object_ignored"), array("recall_thresholds"), array("limits"), array("weights"),
          "threads"_a = 0);
    m.def(
        "bootstrap_weights",
        [](std::uint64_t seed, std::size_t first, std::size_t draws, std::size_t images, int threads) {
            return made(&bootstrap_weights, seed, first, draws, images, threads);
        },
        "seed"_a, "first"_a, "draws"_a, "images"_a, "threads"_a = 0);
    m.def(
        "coin_flips",
        [](std::uint64_t seed, std::size_t first, std::size_t draws, std::size_t images, int threads) {
            return made(&coin_flips, seed, first, draws, images, threads);
        },
        "seed"_a, "first"_a, "draws"_a, "images"_a, "threads"_a = 0);
}

}  // namespace rapideval::bindings
