#include "bindings/arrays.hpp"
#include "bindings/module.hpp"

namespace rapideval::bindings {

void bind_masks(nb::module_&) {}

}  // namespace rapideval::bindings
