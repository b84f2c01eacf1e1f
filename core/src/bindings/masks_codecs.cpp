// Masks from and to other encodings: COCO's strings, dense arrays.
#include "bindings/masks.hpp"
#include "common/parallel.hpp"
#include "masks/codec.hpp"

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
    nb::bytes text = nb::steal<nb::bytes>(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(text_offsets.back())));
    if (!text.is_valid()) nb::raise_python_error();
    char* characters = PyBytes_AS_STRING(text.ptr());
    {
        const nb::gil_scoped_release release;
        masks::encode_all(span_of(counts), span_of(offsets), text_offsets, characters, thread_count(threads));
    }
    return nb::make_tuple(text, to_numpy(std::move(text_offsets)));
}

}  // namespace

void bind_mask_codecs(nb::module_& m) {
    using namespace nb::literals;
    m.def("rle_from_strings", &from_strings, array("text"), array("text_offsets"), array("sizes"), "threads"_a = 0);
    m.def("rle_to_strings", &to_strings, array("counts"), array("offsets"), "threads"_a = 0);
}

}  // namespace rapideval::bindings
