// NumPy arrays in and out of the kernels: the aliases every binding file uses.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "common/buffer.hpp"

namespace rapideval::bindings {

namespace nb = nanobind;

// A read-only C-contiguous input array of exactly this dtype. Name its argument with array("name"): nanobind would
// otherwise convert an array of another dtype or layout behind the caller's back.
template <typename T, std::size_t Dims>
using In = nb::ndarray<const T, nb::ndim<Dims>, nb::c_contig, nb::device::cpu>;

inline auto array(const char* name) { return nb::arg(name).noconvert(); }

template <typename T>
using Out = nb::ndarray<nb::numpy, T>;

template <typename T>
std::span<const T> span_of(const nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>& array) {
    return {array.data(), array.shape(0)};
}

template <typename T>
std::span<const T> span_of(const nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>& array) {
    return {array.data(), array.shape(0) * array.shape(1)};
}

// Hands a vector's memory over to NumPy without a copy. Needs the GIL.
template <typename T>
Out<T> to_numpy(std::vector<T>&& values, std::initializer_list<std::size_t> shape) {
    auto* owner = new std::vector<T>(std::move(values));
    nb::capsule release(owner, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return Out<T>(owner->data(), shape, release);
}

template <typename T>
Out<T> to_numpy(Buffer<T>&& values, std::initializer_list<std::size_t> shape) {
    auto* owner = new Buffer<T>(std::move(values));
    nb::capsule release(owner, [](void* p) noexcept { delete static_cast<Buffer<T>*>(p); });
    return Out<T>(owner->data(), shape, release);
}

template <typename T>
Out<T> to_numpy(Buffer<T>&& values) {
    const std::size_t size = values.size();
    return to_numpy(std::move(values), {size});
}

template <typename T>
Out<T> to_numpy(std::vector<T>&& values) {
    const std::size_t size = values.size();
    return to_numpy(std::move(values), {size});
}

}  // namespace rapideval::bindings
