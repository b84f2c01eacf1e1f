// The extension module rapideval._core: one bind_* function per topic, each in a file of its own.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "bindings/module.hpp"
#include "common/error.hpp"

namespace nb = nanobind;
using namespace rapideval;

namespace {

PyObject* core_error_type = nullptr;

void translate(const std::exception_ptr& pointer, void*) {
    try {
        std::rethrow_exception(pointer);
    } catch (const Error& e) {
        nb::object error = nb::steal(PyObject_CallFunction(core_error_type, "s", e.what()));
        if (!error.is_valid()) return;
        const auto optional = [](std::int64_t value) {
            return value == Error::kNone ? nb::none() : nb::object(nb::int_(value));
        };
        error.attr("rule") = e.rule();
        error.attr("found") = e.found();
        error.attr("expected") = e.expected();
        error.attr("hint") = e.hint();
        error.attr("path") = e.path();
        error.attr("offset") = optional(e.offset());
        error.attr("line") = optional(e.line());
        error.attr("row") = optional(e.row());
        PyErr_SetObject(core_error_type, error.ptr());
    }
}

}  // namespace

NB_MODULE(_core, m) {
    m.doc() = "Compiled kernels of rapideval. Types and contracts: _core.pyi.";
    core_error_type = PyErr_NewException("rapideval._core.CoreError", PyExc_ValueError, nullptr);
    m.attr("CoreError") = nb::borrow(core_error_type);
    nb::register_exception_translator(translate);

    bindings::bind_masks(m);
    bindings::bind_matching(m);
    bindings::bind_resampling(m);
    bindings::bind_semantic(m);
    bindings::bind_writing(m);
}
