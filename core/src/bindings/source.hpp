// A path or a buffer, as Python gives it, for readers that run without the GIL.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <string_view>

#include "reading/source.hpp"

namespace rapideval::bindings {

namespace nb = nanobind;

// Holds the buffer (or the path) as long as it lives. Made and destroyed with the GIL; open() needs none.
class PythonSource {
  public:
    explicit PythonSource(nb::handle source) {
        if (PyUnicode_Check(source.ptr())) {
            // File names that are not UTF-8 reach Python with their bytes as lone surrogates; this brings
            // them back.
            nb::object bytes = nb::steal(PyUnicode_EncodeFSDefault(source.ptr()));
            if (!bytes.is_valid()) throw nb::python_error();
            path_.assign(PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr())));
            is_path_ = true;
        } else if (PyObject_GetBuffer(source.ptr(), &view_, PyBUF_SIMPLE) != 0) {
            throw nb::python_error();
        }
    }
    PythonSource(const PythonSource&) = delete;
    PythonSource& operator=(const PythonSource&) = delete;
    ~PythonSource() {
        if (!is_path_) PyBuffer_Release(&view_);
    }

    reading::Source open() const {
        return is_path_ ? reading::Source::map_file(path_) : reading::Source::borrow(text());
    }

    // Of a buffer.
    std::string_view text() const { return {static_cast<const char*>(view_.buf), static_cast<std::size_t>(view_.len)}; }
    bool is_path() const { return is_path_; }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
    bool is_path_ = false;
    Py_buffer view_{};
};

}  // namespace rapideval::bindings
