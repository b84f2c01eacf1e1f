// The bytes that a reader reads: a mapped file, or memory that somebody else keeps alive.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rapideval::reading {

class Source {
  public:
    // Maps a file for reading. Throws std::system_error (with errno's code) where that fails. A file must not
    // be truncated by another process while it is mapped: the system then ends this one (SIGBUS), as with any
    // mapping.
    static Source map_file(const std::string& path);

    static Source borrow(std::string_view text);

    Source(Source&& other) noexcept;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    Source& operator=(Source&&) = delete;
    ~Source();

    std::string_view text() const { return {data_, size_}; }

    // The bytes [from, to) were read: their pages need not stay in memory. Reading them again works.
    void release(const char* from, const char* to) const noexcept;

  private:
    Source() = default;

    const char* data_ = nullptr;
    std::size_t size_ = 0;
    bool mapped_ = false;
};

}  // namespace rapideval::reading
