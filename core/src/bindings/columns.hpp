// Columns of the readers as NumPy arrays.
#pragma once

#include <initializer_list>
#include <utility>

#include "bindings/arrays.hpp"
#include "reading/column.hpp"

namespace rapideval::bindings {

// Hands a column's memory over to NumPy without a copy.
template <typename T, typename As = T>
nb::object array(reading::Column<T>& column, std::initializer_list<std::size_t> shape) {
    column.shrink();
    if (column.empty()) column.extend(1);  // NumPy wants an address
    auto* owner = new reading::Column<T>(std::move(column));
    nb::capsule release(owner, [](void* p) noexcept { delete static_cast<reading::Column<T>*>(p); });
    return nb::cast(Out<As>(reinterpret_cast<As*>(owner->data()), shape, release));
}

template <typename T, typename As = T>
nb::object array(reading::Column<T>& column) {
    return array<T, As>(column, {column.size()});
}

}  // namespace rapideval::bindings
