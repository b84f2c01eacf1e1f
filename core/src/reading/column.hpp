// A growable column that never holds twice its size: growth remaps pages instead of copying them.
//
// std::vector doubles, copies and keeps both blocks alive meanwhile; for columns that are most of a
// process's memory this decides the peak. Here the capacity is virtual (untouched pages cost nothing),
// growing moves page tables (mremap) where the system can, and shrink() gives the unused tail back.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace rapideval::reading {

namespace detail {

#if defined(__linux__)

inline constexpr std::size_t kPage = 4096;

inline void* resize_pages(void* block, std::size_t old_bytes, std::size_t new_bytes) {
    if (new_bytes == 0) {
        if (block) munmap(block, old_bytes);
        return nullptr;
    }
    void* moved =
        block ? mremap(block, old_bytes, new_bytes, MREMAP_MAYMOVE)
              : mmap(nullptr, new_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (moved == MAP_FAILED) throw std::bad_alloc();
    return moved;
}

inline std::size_t round_up(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

#else

inline void* resize_pages(void* block, std::size_t, std::size_t new_bytes) {
    if (new_bytes == 0) {
        std::free(block);
        return nullptr;
    }
    void* moved = std::realloc(block, new_bytes);
    if (!moved) throw std::bad_alloc();
    return moved;
}

inline std::size_t round_up(std::size_t bytes) { return bytes; }

#endif

}  // namespace detail

template <typename T>
class Column {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    Column() = default;
    Column(Column&& other) noexcept { swap(other); }
    Column& operator=(Column&& other) noexcept {
        swap(other);
        return *this;
    }
    Column(const Column&) = delete;
    Column& operator=(const Column&) = delete;
    ~Column() { detail::resize_pages(block_, detail::round_up(capacity_ * sizeof(T)), 0); }

    T* data() { return static_cast<T*>(block_); }
    const T* data() const { return static_cast<const T*>(block_); }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T& operator[](std::size_t i) { return data()[i]; }
    const T& operator[](std::size_t i) const { return data()[i]; }
    T& back() { return data()[size_ - 1]; }

    // Adds n elements whose values are not set yet and returns the first of them.
    T* extend(std::size_t n) {
        if (n > capacity_ - size_) grow(n);
        T* first = data() + size_;
        size_ += n;
        return first;
    }

    void push_back(T value) {
        if (size_ == capacity_) grow(1);
        data()[size_++] = value;
    }

    void append(const T* values, std::size_t n) {
        if (n != 0) std::memcpy(extend(n), values, n * sizeof(T));
    }

    void fill_up_to(std::size_t size, T value) {
        if (size <= size_) return;
        const std::size_t n = size - size_;
        T* first = extend(n);
        for (std::size_t i = 0; i < n; ++i) first[i] = value;
    }

    // Keeps the first n elements, and all the memory.
    void truncate(std::size_t n) { size_ = n; }
    void clear() { size_ = 0; }

    // Gives back what lies beyond size().
    void shrink() {
        const std::size_t needed = detail::round_up(size_ * sizeof(T));
        if (needed < capacity_ * sizeof(T)) resize(needed);
    }

    void swap(Column& other) noexcept {
        std::swap(block_, other.block_);
        std::swap(capacity_, other.capacity_);
        std::swap(size_, other.size_);
    }

  private:
    void grow(std::size_t n) {
        if (n > std::numeric_limits<std::size_t>::max() / sizeof(T) / 4 - size_) throw std::bad_alloc();
        const std::size_t needed = size_ + n, doubled = 2 * capacity_;
        resize(detail::round_up((needed > doubled ? needed : doubled) * sizeof(T)));
    }

    void resize(std::size_t bytes) {
        block_ = detail::resize_pages(block_, detail::round_up(capacity_ * sizeof(T)), bytes);
        capacity_ = bytes / sizeof(T);
    }

    void* block_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t size_ = 0;
};

}  // namespace rapideval::reading
