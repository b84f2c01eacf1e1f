#include "reading/source.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace rapideval::reading {

Source Source::borrow(std::string_view text) {
    Source source;
    source.data_ = text.data();
    source.size_ = text.size();
    return source;
}

Source::Source(Source&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, false)) {}

#if defined(_WIN32)

Source Source::map_file(const std::string& path) {
    const auto fail = [] { return std::system_error(static_cast<int>(GetLastError()), std::system_category()); };
    const int wide = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
    std::wstring name(static_cast<std::size_t>(wide > 0 ? wide : 1), L'\0');
    MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, name.data(), wide);
    HANDLE file = CreateFileW(name.c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING,
                              FILE_FLAG_SEQUENTIAL_SCAN, nullptr);
    if (file == INVALID_HANDLE_VALUE) throw fail();
    LARGE_INTEGER size{};
    Source source;
    if (!GetFileSizeEx(file, &size)) {
        const auto error = fail();
        CloseHandle(file);
        throw error;
    }
    if (size.QuadPart > 0) {
        HANDLE mapping = CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr);
        const void* view = mapping ? MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0) : nullptr;
        const auto error = fail();
        if (mapping) CloseHandle(mapping);
        if (!view) {
            CloseHandle(file);
            throw error;
        }
        source.data_ = static_cast<const char*>(view);
        source.size_ = static_cast<std::size_t>(size.QuadPart);
        source.mapped_ = true;
    }
    CloseHandle(file);
    return source;
}

Source::~Source() {
    if (mapped_) UnmapViewOfFile(data_);
}

void Source::release(const char*, const char*) const noexcept {}

#else

Source Source::map_file(const std::string& path) {
    const auto fail = [] { return std::system_error(errno, std::generic_category()); };
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw fail();
    struct stat status {};
    if (fstat(file, &status) != 0) {
        const auto error = fail();
        close(file);
        throw error;
    }
    Source source;
    if (!S_ISREG(status.st_mode)) {
        close(file);
        throw std::system_error(S_ISDIR(status.st_mode) ? EISDIR : EINVAL, std::generic_category());
    }
    if (status.st_size > 0) {
        source.size_ = static_cast<std::size_t>(status.st_size);
        void* view = mmap(nullptr, source.size_, PROT_READ, MAP_PRIVATE, file, 0);
        if (view == MAP_FAILED) {
            const auto error = fail();
            close(file);
            throw error;
        }
        source.data_ = static_cast<const char*>(view);
        source.mapped_ = true;
    }
    close(file);
    return source;
}

Source::~Source() {
    if (mapped_) munmap(const_cast<char*>(data_), size_);
}

void Source::release(const char* from, const char* to) const noexcept {
    if (!mapped_ || from >= to) return;
    // The page in which the next range begins stays: it is about to be read. One read again is mapped anew.
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(from) / page * page;
    const std::uintptr_t last = reinterpret_cast<std::uintptr_t>(to) / page * page;
    if (first < last) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

#endif

}  // namespace rapideval::reading
