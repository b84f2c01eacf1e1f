// Strict RFC 8259, one pass, nothing built: the cursor that every reader moves through its text.
//
// Whatever is skipped is checked as whatever is read: grammar, escapes, UTF-8, duplicate keys, depth. A text
// that is not JSON throws Error with its byte offset; add_place() then finds line and path by a second, slow
// reading, so that the first one need not keep track of either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "reading/number.hpp"
#include "reading/simd16.hpp"

namespace rapideval::reading {

inline constexpr int kDefaultMaxDepth = 512;

// A string as it stands between its quotes.
struct RawString {
    const char* begin;
    const char* end;
    bool escaped;

    std::string_view view() const { return {begin, static_cast<std::size_t>(end - begin)}; }
};

// The names of the members of the objects that are open, to find one that stands twice.
class Members {
  public:
    void open() { frames_.push_back(names_.size()); }
    void add(const RawString& name);
    // Forgets the innermost object. Returns where a name stands for the second time, or nullptr.
    const char* close();
    void clear() { names_.clear(), frames_.clear(), decoded_.clear(); }

  private:
    struct Name {
        std::string_view text;
        const char* at;
    };
    std::vector<Name> names_;
    std::vector<std::size_t> frames_;
    std::list<std::string> decoded_;  // none, and no memory, while no name has escapes
};

class Cursor {
  public:
    // `origin` is where byte offsets count from; the cursor stands at `first` inside `depth` open brackets.
    Cursor(const char* origin, const char* first, const char* last, int max_depth, int depth = 0)
        : p(first), end(last), origin_(origin), depth_(depth), max_depth_(max_depth) {}

    const char* p;
    const char* end;

    const char* origin() const { return origin_; }
    std::int64_t offset(const char* at) const { return at - origin_; }
    int max_depth() const { return max_depth_; }
    int depth() const { return depth_; }

    void skip_space() { p = skip_spaces(p, end); }
    // The byte ahead, or NUL, which fits nowhere in JSON, at the end.
    char peek() const { return p < end ? *p : '\0'; }
    bool take(char c) {
        if (p == end || *p != c) return false;
        ++p;
        return true;
    }

    void enter() {
        if (++depth_ > max_depth_) fail_depth();
    }
    void leave() { --depth_; }

    // Reads `"name" :` up to the value; the cursor stands on the quote (or on what is not one).
    RawString member_name();
    // Reads a string; the cursor stands on the opening quote.
    RawString string();
    // Reads a number; the cursor stands on its first byte.
    double number();
    // Skips a value of any kind.
    void skip_value();
    // After an element: true at a comma, which is passed; false at `close`, which is passed too. Space is
    // skipped.
    bool next(char close) {
        skip_space();
        if (take(',')) {
            skip_space();
            return true;
        }
        if (take(close)) return false;
        fail(p, close == ']' ? "a comma or ]" : "a comma or }");
    }
    // After the document: nothing but space may follow.
    void finish();

    // The text is not JSON at `at`. The rule is found from what stands there.
    [[noreturn]] void fail(const char* at, std::string expected) const;
    [[noreturn]] void fail_truncated(std::string expected) const;
    [[noreturn]] void fail_duplicate(const char* at) const;

  private:
    [[noreturn]] void fail_depth() const;
    [[noreturn]] void fail_number(const char* begin) const;
    [[noreturn]] void fail_string(const char* at) const;
    void skip_literal(const char* word);

    const char* origin_;
    int depth_, max_depth_;
    std::vector<char> closers_;
    Members members_;
};

// Skips a leading byte order mark; throws if the text is empty, or of another encoding or kind altogether.
const char* begin_document(std::string_view text);

// Appends the decoded string to `out` as UTF-8. Returns nullptr, or where half a surrogate pair stands, which
// UTF-8 cannot hold (and which is then written as if it could).
const char* decode_string(const RawString& string, std::string& out);

// Adds line and JSON path to an error that has a byte offset.
void add_place(Error& error, std::string_view text);

struct Place {
    std::int64_t line;
    std::string path;
};
Place find_place(std::string_view text, std::int64_t offset);

// `.name`, or `["odd name"]` where that is not an identifier.
std::string path_step(std::string_view name);
// `[i]`
std::string path_step(std::size_t i);

// What stands at p, for a message: `null`, `"cat"`, `a list`, `12.5`.
std::string describe_value(const char* p, const char* end);
std::string describe_byte(const char* p, const char* end);

}  // namespace rapideval::reading
