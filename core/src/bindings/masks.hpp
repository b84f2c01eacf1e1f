// What the binding files that take masks share: the three columns of a mask set as arguments.
#pragma once

#include "bindings/arrays.hpp"
#include "common/error.hpp"
#include "common/parallel.hpp"
#include "masks/rle.hpp"

namespace rapideval::bindings {

using Counts = In<std::uint32_t, 1>;
using Offsets = In<std::int64_t, 1>;
using Sizes = In<std::uint32_t, 2>;

template <typename T>
void check_width(const In<T, 2>& array, std::size_t width, const char* rule, const char* what) {
    if (array.shape(1) != width) throw Error(rule, std::to_string(array.shape(1)) + " columns", what);
}

void bind_mask_codecs(nb::module_& m);   // strings, dense arrays
void bind_mask_algebra(nb::module_& m);  // masks made of masks and of polygons

inline masks::Flags flags_of(const In<bool, 1>& array) {
    return {reinterpret_cast<const std::uint8_t*>(array.data()), array.shape(0)};
}

inline masks::MaskSet checked_masks(const Counts& counts, const Offsets& offsets, const Sizes& sizes, int threads = 0) {
    check_width(sizes, 2, "rle-sizes", "sizes (N, 2)");
    const masks::MaskSet set{span_of(counts), span_of(offsets), span_of(sizes)};
    masks::check_masks(set, thread_count(threads));
    return set;
}

// Bytes 0 and 1 as a NumPy array of bool.
inline Out<bool> flags_to_numpy(std::vector<std::uint8_t>&& flags) {
    auto* owner = new std::vector<std::uint8_t>(std::move(flags));
    nb::capsule release(owner, [](void* p) noexcept { delete static_cast<std::vector<std::uint8_t>*>(p); });
    return Out<bool>(reinterpret_cast<bool*>(owner->data()), {owner->size()}, release);
}

inline nb::tuple runs_to_numpy(masks::RaggedRuns&& runs) {
    return nb::make_tuple(to_numpy(std::move(runs.counts)), to_numpy(std::move(runs.offsets)));
}

}  // namespace rapideval::bindings
