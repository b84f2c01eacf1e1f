// Masks from and to other encodings: COCO's strings, dense arrays.
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "bindings/masks.hpp"
#include "common/parallel.hpp"
#include "masks/codec.hpp"
#include "masks/dense.hpp"

namespace rapideval::bindings {

namespace {

nb::tuple from_strings(In<std::uint8_t, 1> text, Offsets text_offsets, Sizes sizes, int threads) {
    masks::RaggedRuns result;
    {
        const nb::gil_scoped_release release;
        check_width(sizes, 2, "rle-sizes", "sizes (N, 2)");
        result = masks::decode_all({reinterpret_cast<const char*>(text.data()), text.shape(0)}, span_of(text_offsets),
                                   span_of(sizes), thread_count(threads));
    }
    return runs_to_numpy(std::move(result));
}

nb::tuple to_strings(Counts counts, Offsets offsets, int threads) {
    std::vector<std::int64_t> text_offsets;
    {
        const nb::gil_scoped_release release;
        text_offsets = masks::encoded_offsets(span_of(counts), span_of(offsets), thread_count(threads));
    }
    nb::bytes text =
        nb::steal<nb::bytes>(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(text_offsets.back())));
    if (!text.is_valid()) nb::raise_python_error();
    char* characters = PyBytes_AS_STRING(text.ptr());
    {
        const nb::gil_scoped_release release;
        masks::encode_all(span_of(counts), span_of(offsets), text_offsets, characters, thread_count(threads));
    }
    return nb::make_tuple(text, to_numpy(std::move(text_offsets)));
}

nb::tuple from_dense(nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::device::cpu> array, int threads) {
    masks::RaggedRuns result;
    {
        const nb::gil_scoped_release release;
        masks::DenseMasks dense{array.data(), {}, {}};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            dense.shape[axis] = array.shape(axis);
            dense.strides[axis] = array.stride(axis);
        }
        result = masks::from_dense(dense, thread_count(threads));
    }
    return runs_to_numpy(std::move(result));
}

Out<std::uint8_t> to_dense(Counts counts, Offsets offsets, Sizes sizes, const std::string& order, int threads) {
    if (order != "C" && order != "F") throw Error("mask-order", '"' + order + '"', "\"C\" or \"F\"");
    const masks::Order memory = order == "C" ? masks::Order::kRowMajor : masks::Order::kColumnMajor;
    std::size_t shape[3] = {};
    std::uint8_t* pixels = nullptr;
    {
        const nb::gil_scoped_release release;
        const masks::MaskSet set = checked_masks(counts, offsets, sizes);
        const masks::Size size = set.size() == 0 ? masks::Size{} : set.size_of(0);
        shape[0] = set.size();
        shape[1] = size.height;
        shape[2] = size.width;
        // calloc: the system hands out pages of zeros, and those without foreground are never touched.
        pixels = static_cast<std::uint8_t*>(
            std::calloc(std::max<std::size_t>(set.size(), 1), std::max<std::size_t>(size.pixels(), 1)));
        if (pixels == nullptr) throw std::bad_alloc();
        try {
            masks::to_dense(set, memory, pixels, thread_count(threads));
        } catch (...) {
            std::free(pixels);
            throw;
        }
    }
    const nb::capsule owner(pixels, [](void* p) noexcept { std::free(p); });
    const auto height = static_cast<std::int64_t>(shape[1]), width = static_cast<std::int64_t>(shape[2]);
    const std::int64_t rows[3] = {height * width, width, 1}, columns[3] = {height * width, 1, height};
    return Out<std::uint8_t>(pixels, 3, shape, owner, memory == masks::Order::kRowMajor ? rows : columns);
}

}  // namespace

void bind_mask_codecs(nb::module_& m) {
    using namespace nb::literals;
    m.def("rle_from_strings", &from_strings, array("text"), array("text_offsets"), array("sizes"), "threads"_a = 0);
    m.def("rle_to_strings", &to_strings, array("counts"), array("offsets"), "threads"_a = 0);
    m.def("rle_from_dense", &from_dense, array("masks"), "threads"_a = 0);
    m.def("rle_to_dense", &to_dense, array("counts"), array("offsets"), array("sizes"), "order"_a = "C",
          "threads"_a = 0);
}

}  // namespace rapideval::bindings
