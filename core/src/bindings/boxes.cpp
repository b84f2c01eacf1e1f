// Boxes. Contracts: rapideval/_core.pyi.
#include "bindings/arrays.hpp"
#include "bindings/masks.hpp"
#include "bindings/module.hpp"
#include "boxes/box_iou.hpp"
#include "boxes/survey.hpp"
#include "common/parallel.hpp"

namespace rapideval::bindings {

namespace {

Out<double> box_iou_matrix(In<double, 2> a, In<double, 2> b, In<bool, 1> b_crowd) {
    std::vector<double> result;
    {
        const nb::gil_scoped_release release;
        check_width(a, 4, "box-shape", "boxes (N, 4)");
        check_width(b, 4, "box-shape", "boxes (N, 4)");
        result = boxes::iou_matrix(span_of(a), span_of(b), flags_of(b_crowd));
    }
    return to_numpy(std::move(result), {a.shape(0), b.shape(0)});
}

nb::tuple survey_rows(In<double, 2> boxes, In<std::int32_t, 1> image, In<std::uint32_t, 2> sizes, int threads) {
    check_width(boxes, 4, "box-shape", "boxes (N, 4)");
    check_width(sizes, 2, "rle-sizes", "sizes (I, 2)");
    boxes::Survey found;
    {
        const nb::gil_scoped_release release;
        found = boxes::survey(span_of(boxes), span_of(image), span_of(sizes), thread_count(threads));
    }
    return nb::make_tuple(found.smallest, found.largest, found.positive, found.corners, found.outside);
}

}  // namespace

void bind_boxes(nb::module_& m) {
    m.def("box_iou_matrix", &box_iou_matrix, array("a"), array("b"), array("b_crowd"));
    m.def("survey_boxes", &survey_rows, array("boxes"), array("image"), array("sizes"), nb::arg("threads") = 0);
}

}  // namespace rapideval::bindings
