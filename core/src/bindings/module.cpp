// The extension module rapideval._core: one bind_* function per topic, each in a file of its own.
#include "bindings/module.hpp"

#include <nanobind/nanobind.h>

NB_MODULE(_core, m) {
    m.doc() = "Compiled kernels of rapideval. Types and contracts: _core.pyi.";
    rapideval::bindings::bind_boxes(m);
    rapideval::bindings::bind_errors(m);
    rapideval::bindings::bind_masks(m);
    rapideval::bindings::bind_matching(m);
    rapideval::bindings::bind_payload(m);
    rapideval::bindings::bind_reading(m);
    rapideval::bindings::bind_resampling(m);
    rapideval::bindings::bind_semantic(m);
    rapideval::bindings::bind_writing(m);
}
