// Errors of the kernels as Python objects.
#pragma once

#include <nanobind/nanobind.h>

#include "common/error.hpp"

namespace rapideval::bindings {

// A rapideval._core.CoreError with the same fields, not raised. Needs the GIL.
nanobind::object to_python(const Error& error);

}  // namespace rapideval::bindings
