// One function per topic of the extension module; module.cpp calls them all.
#pragma once

#include <nanobind/nanobind.h>

namespace rapideval::bindings {

void bind_boxes(nanobind::module_& m);
void bind_errors(nanobind::module_& m);
void bind_masks(nanobind::module_& m);
void bind_matching(nanobind::module_& m);
void bind_resampling(nanobind::module_& m);
void bind_semantic(nanobind::module_& m);
void bind_writing(nanobind::module_& m);
void bind_payload(nanobind::module_& m);
void bind_reading(nanobind::module_& m);

}  // namespace rapideval::bindings
