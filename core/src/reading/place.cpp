// Line and JSON path of a byte offset: read again from the start, slowly, only when an error is reported.
#include <algorithm>
#include <cstring>

#include "reading/json.hpp"

namespace rapideval::reading {

namespace {

constexpr std::size_t kMaxLevels = 1000;

struct Level {
    bool object;
    std::int64_t index = 0;      // of an array's element
    std::string_view name = {};  // of an object's member, as written
    bool in_member = false;      // a name was read and the next comma not yet
};

// Behind the string that begins at p (on its quote), as far as it goes.
const char* pass_string(const char* p, const char* stop) {
    for (++p; p < stop; ++p) {
        if (*p == '\\') {
            ++p;
        } else if (*p == '"') {
            return p + 1;
        }
    }
    return stop;
}

bool is_identifier(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    if (name.empty() || !letter(name.front())) return false;
    return std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

std::string path_step(std::string_view name) {
    constexpr std::size_t kShown = 60;
    if (is_identifier(name) && name.size() <= kShown) return std::string(".").append(name);
    std::string shown(name.substr(0, kShown));
    while (name.size() > kShown && !shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xC0) == 0x80)
        shown.pop_back();
    if (name.size() > kShown) shown += "...";
    return std::string("[\"").append(shown).append("\"]");
}

std::string path_step(std::size_t i) {
    std::string step = "[";
    step += std::to_string(i);
    step += ']';
    return step;
}

Place find_place(std::string_view text, std::int64_t offset) {
    const auto size = static_cast<std::int64_t>(text.size());
    const char* begin = text.data();
    const char* stop = begin + std::clamp<std::int64_t>(offset, 0, size);
    const char* end = begin + size;

    std::vector<Level> levels;
    std::size_t deeper = 0;  // levels beyond those kept
    const auto open = [&](bool object) {
        if (levels.size() < kMaxLevels) {
            levels.push_back({.object = object});
        } else {
            ++deeper;
        }
    };
    for (const char* p = begin; p < stop || (p == stop && p < end && *p == '"');) {
        switch (*p) {
            case '{':
            case '[':
                open(*p == '{');
                ++p;
                break;
            case '}':
            case ']':
                if (deeper > 0) {
                    --deeper;
                } else if (!levels.empty()) {
                    levels.pop_back();
                }
                ++p;
                break;
            case ',':
                if (!levels.empty() && deeper == 0) {
                    ++levels.back().index;
                    levels.back().in_member = false;
                }
                ++p;
                break;
            case '"': {
                const bool name = deeper == 0 && !levels.empty() && levels.back().object && !levels.back().in_member;
                const char* after = pass_string(p, name ? end : stop);
                if (name) {
                    levels.back().name =
                        std::string_view(p + 1, static_cast<std::size_t>(std::max(after - 1, p + 1) - (p + 1)));
                    levels.back().in_member = true;
                } else if (p == stop) {
                    ++after;
                }
                p = after;
                break;
            }
            default:
                ++p;
        }
    }

    Place place{1 + std::count(begin, stop, '\n'), "$"};
    for (const Level& level : levels) {
        if (!level.object) {
            place.path += path_step(static_cast<std::size_t>(level.index));
        } else if (level.in_member) {
            place.path += path_step(level.name);
        }
    }
    if (deeper > 0) place.path += "...";
    return place;
}

void add_place(Error& error, std::string_view text) {
    if (error.offset() == Error::kNone) return;
    Place place = find_place(text, error.offset());
    error.at_line(place.line);
    if (error.path().empty()) error.at_path(std::move(place.path));
}

}  // namespace rapideval::reading
