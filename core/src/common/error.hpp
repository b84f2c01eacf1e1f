// The one error a kernel throws: what is wrong with the input, and where.
//
// The bindings turn it into rapideval._core.CoreError, whose attributes carry the same fields; the
// Python layers add the file's name and raise the error a user sees (rapideval/errors.py).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace rapideval {

class Error : public std::runtime_error {
  public:
    static constexpr std::int64_t kNone = -1;

    Error(std::string rule, std::string found, std::string expected)
        : std::runtime_error("found " + found + ", expected " + expected),
          rule_(std::move(rule)),
          found_(std::move(found)),
          expected_(std::move(expected)) {}

    // Where, as far as the kernel knows it: a JSON path, a byte offset into the text, a row.
    Error& at_path(std::string path) {
        path_ = std::move(path);
        return *this;
    }
    Error& at_offset(std::int64_t offset) {
        offset_ = offset;
        return *this;
    }
    Error& at_line(std::int64_t line) {
        line_ = line;
        return *this;
    }
    Error& at_row(std::int64_t row) {
        row_ = row;
        return *this;
    }
    Error& with_hint(std::string hint) {
        hint_ = std::move(hint);
        return *this;
    }

    const std::string& rule() const { return rule_; }
    const std::string& found() const { return found_; }
    const std::string& expected() const { return expected_; }
    const std::string& path() const { return path_; }
    const std::string& hint() const { return hint_; }
    std::int64_t offset() const { return offset_; }
    std::int64_t line() const { return line_; }
    std::int64_t row() const { return row_; }

  private:
    std::string rule_, found_, expected_, path_, hint_;
    std::int64_t offset_ = kNone, line_ = kNone, row_ = kNone;
};

}  // namespace rapideval
