#include "reading/json.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace rapideval::reading {

namespace {

std::size_t left(const char* p, const char* end) { return static_cast<std::size_t>(end - p); }

bool starts_with(const char* p, const char* end, std::string_view word) {
    return left(p, end) >= word.size() && std::memcmp(p, word.data(), word.size()) == 0;
}

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The four hexadecimal digits at p, or -1.
int hex4(const char* p, const char* end) noexcept {
    if (end - p < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_value(p[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

// The length of the well-formed UTF-8 sequence at p (Unicode, table 3-7), or 0.
int utf8_length(const char* p, const char* end) noexcept {
    const auto byte = [&](std::ptrdiff_t i) { return p + i < end ? static_cast<unsigned char>(p[i]) : 0u; };
    const auto within = [](unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (within(first, 0xC2, 0xDF)) return within(byte(1), 0x80, 0xBF) ? 2 : 0;
    if (within(first, 0xE0, 0xEF)) {
        const unsigned low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
        return within(byte(1), low, high) && within(byte(2), 0x80, 0xBF) ? 3 : 0;
    }
    if (within(first, 0xF0, 0xF4)) {
        const unsigned low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
        return within(byte(1), low, high) && within(byte(2), 0x80, 0xBF) && within(byte(3), 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

void append_utf8(std::string& out, unsigned code) {
    const auto put = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F)), put(0x80 | (code >> 6 & 0x3F)),
            put(0x80 | (code & 0x3F));
    }
}

// The end of the string whose first character is at p: its closing quote, or, `bad` set, what does not
// belong.
const char* find_string_end(const char* p, const char* end, bool& escaped, bool& bad) noexcept {
    for (;;) {
        p = skip_plain_text(p, end);
        if (p == end) {
            bad = true;
            return p;
        }
        if (*p == '"') return p;
        if (*p == '\\') {
            escaped = true;
            const char c = p + 1 < end ? p[1] : '\0';
            if (c == 'u' && hex4(p + 2, end) >= 0) {
                p += 6;
            } else if (c != '\0' && std::strchr("\"\\/bfnrt", c) != nullptr) {
                p += 2;
            } else {
                bad = true;
                return p;
            }
        } else if (const int length = static_cast<unsigned char>(*p) >= 0x80 ? utf8_length(p, end) : 0; length != 0) {
            p += length;
        } else {
            bad = true;
            return p;
        }
    }
}

}  // namespace

// --- members -------------------------------------------------------------------------------------------

void Members::add(const RawString& name) {
    std::string_view text = name.view();
    if (name.escaped) {
        std::string decoded;
        decode_string(name, decoded);
        text = decoded_.emplace_back(std::move(decoded));
    }
    names_.push_back({text, name.begin - 1});
}

const char* Members::close() {
    constexpr std::size_t kFew = 8;
    const std::size_t first = frames_.back();
    frames_.pop_back();
    const std::size_t count = names_.size() - first;
    const char* twice = nullptr;
    if (count <= kFew) {
        for (std::size_t i = first + 1; i < names_.size() && !twice; ++i) {
            for (std::size_t j = first; j < i; ++j) {
                if (names_[i].text == names_[j].text) twice = names_[i].at;
            }
        }
    } else {
        // Sorting, not hashing: no choice of names can make this slow.
        const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(first);
        std::sort(begin, names_.end(), [](const Name& a, const Name& b) {
            if (a.text.size() != b.text.size()) return a.text.size() < b.text.size();
            const int order = a.text.compare(b.text);
            return order != 0 ? order < 0 : a.at < b.at;
        });
        for (std::size_t i = first + 1; i < names_.size(); ++i) {
            if (names_[i].text == names_[i - 1].text && (!twice || names_[i].at < twice)) twice = names_[i].at;
        }
    }
    names_.resize(first);
    if (frames_.empty()) decoded_.clear();
    return twice;
}

// --- the cursor ----------------------------------------------------------------------------------------

RawString Cursor::string() {
    const char* begin = p + 1;
    bool escaped = false, bad = false;
    p = find_string_end(begin, end, escaped, bad);
    if (bad) fail_string(p);
    const RawString result{begin, p, escaped};
    ++p;
    return result;
}

RawString Cursor::member_name() {
    if (peek() != '"') fail(p, "the name of a member in double quotes");
    const RawString name = string();
    skip_space();
    if (!take(':')) fail(p, "a colon after the name of a member");
    skip_space();
    return name;
}

double Cursor::number() {
    double value = 0.0;
    if (scan_common_double(p, end, value)) return value;
    const char* begin = p;
    Number parts;
    if (scan_number(p, end, parts) != NumberStatus::ok) fail_number(begin);
    return to_double(parts, begin, p);
}

void Cursor::finish() {
    skip_space();
    if (p == end) return;
    throw Error("json-trailing", describe_byte(p, end) + " after the document", "the end of the text")
        .at_offset(offset(p));
}

void Cursor::skip_literal(const char* word) {
    const char* begin = p;
    for (const char* w = word; *w != '\0'; ++w, ++p) {
        if (p == end) fail_truncated(word);
        if (*p != *w) fail(begin, "a value");
    }
}

void Cursor::skip_value() {
    // closers_ holds what closes each bracket opened here; recursion would let a hostile text use up the
    // stack.
    const std::size_t base = closers_.size();
    for (;;) {
        switch (peek()) {
            case '{':
                enter();
                ++p;
                skip_space();
                if (take('}')) {
                    leave();
                    break;
                }
                members_.open();
                closers_.push_back('}');
                members_.add(member_name());
                continue;
            case '[':
                enter();
                ++p;
                skip_space();
                if (take(']')) {
                    leave();
                    break;
                }
                closers_.push_back(']');
                continue;
            case '"':
                string();
                break;
            case 't':
                skip_literal("true");
                break;
            case 'f':
                skip_literal("false");
                break;
            case 'n':
                skip_literal("null");
                break;
            case '-':
            case '0':
            case '1':
            case '2':
            case '3':
            case '4':
            case '5':
            case '6':
            case '7':
            case '8':
            case '9': {
                const char* begin = p;
                Number parts;
                if (scan_number(p, end, parts) != NumberStatus::ok) fail_number(begin);
                break;
            }
            default:
                fail(p, "a value");
        }
        // A value is complete: go on behind it, out of as many brackets as close here.
        for (;;) {
            if (closers_.size() == base) return;
            const char close = closers_.back();
            if (next(close)) {
                if (close == '}') members_.add(member_name());
                break;
            }
            if (close == '}') {
                if (const char* twice = members_.close()) fail_duplicate(twice);
            }
            closers_.pop_back();
            leave();
        }
    }
}

// --- errors --------------------------------------------------------------------------------------------

void Cursor::fail_truncated(std::string expected) const {
    throw Error("json-truncated", "the end of the text", std::move(expected)).at_offset(offset(end));
}

void Cursor::fail_depth() const {
    throw Error("json-depth", "brackets nested deeper than " + std::to_string(max_depth_), "at most that many levels")
        .at_offset(offset(p));
}

void Cursor::fail_duplicate(const char* at) const {
    throw Error("json-duplicate-key", describe_value(at, end) + " for the second time in one object",
                "each member once")
        .at_offset(offset(at))
        .with_hint("most readers keep one of the two without a word");
}

void Cursor::fail(const char* at, std::string expected) const {
    if (at == end) fail_truncated(std::move(expected));
    const char* word = at + (*at == '-');
    for (const std::string_view name : {"NaN", "Infinity", "nan", "inf"}) {
        if (starts_with(word, end, name)) {
            throw Error("json-nan", std::string(at, word) + std::string(name), std::move(expected))
                .at_offset(offset(at))
                .with_hint("JSON has no such number; Python's json.dumps writes it unless allow_nan=False");
        }
    }
    const bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
    Error error("json-syntax", letter ? describe_value(at, end) : describe_byte(at, end), std::move(expected));
    error.at_offset(offset(at));
    if (*at == '\'' || starts_with(at, end, "True") || starts_with(at, end, "False") || starts_with(at, end, "None")) {
        error.with_hint("looks like the repr of a Python object; write it with json.dumps");
    } else if (starts_with(at, end, "\xE2\x80\x98") || starts_with(at, end, "\xE2\x80\x99") ||
               starts_with(at, end, "\xE2\x80\x9C") || starts_with(at, end, "\xE2\x80\x9D")) {
        error.with_hint("typographic quotes: a text editor replaced the plain ones");
    } else if (*at == '/' || *at == '#') {
        error.with_hint("JSON has no comments");
    } else if (*at == '<' && offset(at) < 16) {
        error.with_hint("looks like HTML or XML, perhaps the error page of a server");
    } else if (*at == ']' || *at == '}') {
        const char* before = at;
        while (before > origin_ && is_space(before[-1])) --before;
        if (before > origin_ && before[-1] == ',') error.with_hint("a comma before the closing bracket");
    }
    throw error;
}

void Cursor::fail_number(const char* begin) const {
    if (p == end) fail_truncated("the rest of a number");
    if (p == begin + (*begin == '-')) fail(begin, "a number");
    Error error("json-syntax", "the number " + describe_value(begin, end), "a number as JSON writes it");
    error.at_offset(offset(begin));
    if (*p >= '0' && *p <= '9') error.with_hint("a leading zero");
    throw error;
}

void Cursor::fail_string(const char* at) const {
    if (at == end) fail_truncated("the closing quote of a string");
    const auto byte = static_cast<unsigned char>(*at);
    if (byte >= 0x80) {
        std::array<char, 8> hex{};
        std::snprintf(hex.data(), hex.size(), "0x%02X", byte);
        throw Error("json-utf8", std::string("byte ") + hex.data(), "UTF-8").at_offset(offset(at));
    }
    if (byte < 0x20) {
        throw Error("json-syntax", describe_byte(at, end) + " inside a string", "an escape such as \\n")
            .at_offset(offset(at));
    }
    // An escape: one cut off by the end of the text is a truncation.
    if (left(at, end) < 2 || (at[1] == 'u' && left(at, end) < 6)) {
        bool cut = true;
        for (const char* q = at + 2; q < end; ++q) cut &= hex_value(*q) >= 0;
        if (cut) fail_truncated("the rest of an escape");
    }
    throw Error("json-syntax",
                "the escape " + std::string(at, std::min<std::size_t>(left(at, end), at[1] == 'u' ? 6 : 2)),
                "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")
        .at_offset(offset(at));
}

// --- documents and strings -----------------------------------------------------------------------------

const char* begin_document(std::string_view text) {
    const char* begin = text.data();
    const char* end = begin + text.size();
    if (starts_with(begin, end, "\xEF\xBB\xBF")) begin += 3;
    const char* first = skip_spaces(begin, end);
    if (first == end) {
        throw Error("json-empty", text.empty() ? "an empty text" : "nothing but white space", "a JSON document")
            .at_offset(0);
    }
    const auto other = [&](const char* what, const char* hint) {
        return Error("json-encoding", what, "JSON text in UTF-8").at_offset(0).with_hint(hint);
    };
    const bool zero_first = text[0] == '\0', zero_second = text.size() > 1 && text[1] == '\0';
    if (starts_with(begin, end, "\xFF\xFE") || starts_with(begin, end, "\xFE\xFF") || zero_first || zero_second) {
        throw other("UTF-16 or UTF-32", "save it as UTF-8");
    }
    if (starts_with(begin, end, "\x1F\x8B")) throw other("a gzip file", "decompress it first");
    if (starts_with(begin, end, "\x28\xB5\x2F\xFD")) throw other("a zstd file", "decompress it first");
    if (starts_with(begin, end, "PK\x03\x04")) throw other("a zip file", "extract it first");
    if (*begin == '\x80') throw other("a pickle", "it is never unpickled; ask for JSON (return_pickled=false)");
    return begin;
}

const char* decode_string(const RawString& string, std::string& out) {
    if (!string.escaped) {
        out.append(string.begin, string.end);
        return nullptr;
    }
    const char* half = nullptr;
    const char* p = string.begin;
    while (p < string.end) {
        const auto* slash = static_cast<const char*>(std::memchr(p, '\\', left(p, string.end)));
        out.append(p, slash ? slash : string.end);
        if (!slash) break;
        p = slash + 2;
        switch (slash[1]) {
            case 'b':
                out.push_back('\b');
                break;
            case 'f':
                out.push_back('\f');
                break;
            case 'n':
                out.push_back('\n');
                break;
            case 'r':
                out.push_back('\r');
                break;
            case 't':
                out.push_back('\t');
                break;
            case 'u': {
                auto code = static_cast<unsigned>(hex4(p, string.end));
                p += 4;
                if (code >= 0xD800 && code <= 0xDBFF && starts_with(p, string.end, "\\u")) {
                    const int low = hex4(p + 2, string.end);
                    if (low >= 0xDC00 && low <= 0xDFFF) {
                        code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<unsigned>(low) - 0xDC00);
                        p += 6;
                    }
                }
                if (code >= 0xD800 && code <= 0xDFFF && !half) half = slash;
                append_utf8(out, code);
                break;
            }
            default:
                out.push_back(slash[1]);
        }
    }
    return half;
}

std::string describe_byte(const char* p, const char* end) {
    if (p >= end) return "the end of the text";
    const auto byte = static_cast<unsigned char>(*p);
    switch (byte) {
        case '\n':
            return "a line feed";
        case '\r':
            return "a carriage return";
        case '\t':
            return "a tab";
        default:
            break;
    }
    if (byte >= 0x20 && byte < 0x7F) return std::string("'") + *p + "'";
    if (byte >= 0x80) {
        if (const int length = utf8_length(p, end); length != 0)
            return std::string("'").append(p, p + length).append("'");
    }
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "byte 0x%02X", byte);
    return text.data();
}

std::string describe_value(const char* p, const char* end) {
    constexpr std::size_t kShown = 40;
    if (p >= end) return "the end of the text";
    if (*p == '{') return "an object";
    if (*p == '[') return "a list";
    const char* q = p;
    if (*p == '"') {
        bool escaped = false, bad = false;
        q = find_string_end(p + 1, end, escaped, bad);
        q += q < end && *q == '"';
    } else {
        while (q < end && !is_space(*q) && *q != ',' && *q != ']' && *q != '}' && left(p, q) <= kShown) ++q;
    }
    if (left(p, q) <= kShown) return std::string(p, q);
    const char* cut = p + kShown;
    while (cut > p && (static_cast<unsigned char>(*cut) & 0xC0) == 0x80) --cut;
    return std::string(p, cut) + "...";
}

}  // namespace rapideval::reading
