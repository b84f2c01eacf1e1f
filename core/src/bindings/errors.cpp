#include "bindings/errors.hpp"
#include "bindings/module.hpp"

#include <exception>
#include <string>
#include <system_error>

namespace rapideval::bindings {

namespace nb = nanobind;

namespace {

PyObject* core_error_type = nullptr;

// A message may quote an input that is not UTF-8.
nb::object text(const std::string& value) {
    return nb::steal(PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), "backslashreplace"));
}

nb::object optional(std::int64_t value) { return value == Error::kNone ? nb::none() : nb::object(nb::int_(value)); }

void translate(const std::exception_ptr& pointer, void*) {
    try {
        std::rethrow_exception(pointer);
    } catch (const Error& e) {
        const nb::object error = to_python(e);
        PyErr_SetObject(core_error_type, error.ptr());
    } catch (const std::system_error& e) {
        // A file that cannot be opened: OSError picks FileNotFoundError and its kin by the number.
        const nb::object error = nb::steal(PyObject_CallFunction(PyExc_OSError, "is", e.code().value(), e.what()));
        if (error.is_valid()) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
    }
}

}  // namespace

nb::object to_python(const Error& e) {
    nb::object message = text(e.what());
    nb::object error = nb::steal(PyObject_CallOneArg(core_error_type, message.ptr()));
    if (!error.is_valid()) throw nb::python_error();
    error.attr("rule") = text(e.rule());
    error.attr("found") = text(e.found());
    error.attr("expected") = text(e.expected());
    error.attr("hint") = text(e.hint());
    error.attr("path") = text(e.path());
    error.attr("offset") = optional(e.offset());
    error.attr("line") = optional(e.line());
    error.attr("row") = optional(e.row());
    return error;
}

void bind_errors(nb::module_& m) {
    core_error_type = PyErr_NewException("rapideval._core.CoreError", PyExc_ValueError, nullptr);
    m.attr("CoreError") = nb::borrow(core_error_type);
    nb::register_exception_translator(translate);
}

}  // namespace rapideval::bindings
