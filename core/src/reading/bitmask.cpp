#include "reading/bitmask.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/parallel.hpp"
#include "reading/bitmask_rows.hpp"
#include "reading/bitmask_runs.hpp"
#include "reading/integers.hpp"

namespace rapideval::reading {

namespace {

constexpr int kMaxLevels = 4;
constexpr std::uint64_t kMaxPixels = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kParallelBytes = std::size_t{1} << 21;

// --- the fast way --------------------------------------------------------------------------------------

// Makes masks one after another; its room is used again for each.
struct Maker {
    Column<std::uint64_t> words;
    RunMaker runs;
    Bitmasks masks;

    void finish(std::size_t height, std::size_t width) {
        runs.append_runs(words.data(), height, width, masks.counts);
        masks.offsets.push_back(static_cast<std::int64_t>(masks.counts.size()));
        masks.sizes.push_back(static_cast<std::uint32_t>(height));
        masks.sizes.push_back(static_cast<std::uint32_t>(width));
    }
};

// Reads one mask [H, W]; p stands on its `[`, and afterwards behind its `]`. False: not in this way.
bool take_mask(const char*& p, const char* end, RowKernel kernel, Maker& maker) {
    maker.words.clear();
    BitRows rows(maker.words);
    std::size_t height = 0, width = 0;
    p = skip_spaces(p + 1, end);
    for (;;) {
        if (p == end || *p != '[') return false;
        ++p;
        if (!kernel(p, end, rows)) return false;
        ++p;
        const std::size_t values = rows.end_row();
        if (height == 0) width = values;
        if (values != width) return false;
        ++height;
        p = skip_spaces(p, end);
        if (p == end) return false;
        if (*p == ']') break;
        if (*p != ',') return false;
        p = skip_spaces(p + 1, end);
    }
    ++p;
    if (height > kMaxPixels || width > kMaxPixels / height) return false;
    maker.finish(height, width);
    return true;
}

// Where the masks of a stack begin, as far as brackets tell: between two of them stands nothing but `],[`
// around them, with as many brackets as there are levels above a mask. What is between is not looked at, so
// this is a guess; it is right if every mask turns out to end where the next one begins.
class Stack {
  public:
    Stack(const char* first, const char* end, int outer) : end_(end), outer_(outer) { begins.push_back(first); }

    // Goes on until the stack is closed; the place behind, or nullptr.
    const char* find_all() {
        for (;;) {
            const char* at = begins.back();
            const char* after = nullptr;
            if (begins.size() > 1) {
                // Masks that are written alike are as long as the one before.
                const std::ptrdiff_t stride = at - begins[begins.size() - 2];
                if (stride < end_ - at) after = try_border(at + stride);
            }
            if (!after) {
                after = search_border(at);
                if (!after) return nullptr;
                if (closed_) return after;
            }
            begins.push_back(after);
        }
    }

    std::vector<const char*> begins;

  private:
    // Behind the brackets between two masks if they end at `next`, else nullptr.
    const char* try_border(const char* next) const {
        const char* p = next;
        const auto back = [&](char c) {
            while (p > begins.back() && is_space(p[-1])) --p;
            return p > begins.back() && *--p == c;
        };
        for (int i = 1; i < outer_; ++i) {
            if (!back('[')) return nullptr;
        }
        if (!back(',')) return nullptr;
        for (int i = 1; i < outer_; ++i) {
            if (!back(']')) return nullptr;
        }
        return *next == '[' && back(']') && back(']') ? next : nullptr;
    }

    const char* search_border(const char* p) {
        for (;;) {
            p = static_cast<const char*>(std::memchr(p, ']', static_cast<std::size_t>(end_ - p)));
            if (!p) return nullptr;
            const char* q = skip_spaces(p + 1, end_);
            if (q < end_ && *q == ']') break;  // of the last row, and of the mask
            p = q;
        }
        const auto take = [&](char c) {
            p = skip_spaces(p, end_);
            return p < end_ && *p == c ? (++p, true) : false;
        };
        take(']'), take(']');
        for (int i = 1; i < outer_; ++i) {
            if (!take(']')) return nullptr;
        }
        if (take(']')) {
            closed_ = true;
            return p;
        }
        if (!take(',')) return nullptr;
        for (int i = 1; i < outer_; ++i) {
            if (!take('[')) return nullptr;
        }
        p = skip_spaces(p, end_);
        return p < end_ && *p == '[' ? p : nullptr;
    }

    const char* end_;
    int outer_;
    bool closed_ = false;
};

// `from` behind a mask, `to` where the next begins (or behind the stack): only the brackets between may stand
// there.
bool only_border(const char* from, const char* to, int outer, bool last) {
    std::string between;
    for (const char* p = from; p < to; ++p) {
        if (!is_space(*p)) between.push_back(*p);
        if (between.size() > 8) return false;
    }
    const auto inner = static_cast<std::size_t>(outer - 1);
    return between == (last ? std::string(inner + 1, ']') : std::string(inner, ']') + ',' + std::string(inner, '['));
}

void append_masks(const Bitmasks& more, Bitmasks& masks) {
    const auto base = static_cast<std::int64_t>(masks.counts.size());
    masks.counts.append(more.counts.data(), more.counts.size());
    std::int64_t* offsets = masks.offsets.extend(more.offsets.size());
    for (std::size_t i = 0; i < more.offsets.size(); ++i) offsets[i] = base + more.offsets[i];
    masks.sizes.append(more.sizes.data(), more.sizes.size());
}

std::optional<Bitmasks> read_fast(Cursor& cursor, const BitmaskOptions& options) {
    const RowKernel kernel = row_kernel(options.level);
    if (!kernel) return std::nullopt;
    const char *p = cursor.p, *first = nullptr, *end = cursor.end;
    // The brackets in front: the last but one opens the first mask.
    int levels = 0;
    const char* brackets[kMaxLevels];
    while (p < end && *p == '[') {
        if (levels == kMaxLevels) return std::nullopt;
        brackets[levels++] = p;
        p = skip_spaces(p + 1, end);
    }
    if (levels < 2 || cursor.depth() + levels > cursor.max_depth()) return std::nullopt;
    first = brackets[levels - 2];

    Bitmasks result;
    result.ndim = levels;
    result.offset = cursor.offset(cursor.p);
    result.offsets.push_back(0);
    if (levels == 2) {
        Maker maker;
        if (!take_mask(first, end, kernel, maker)) return std::nullopt;
        append_masks(maker.masks, result);
        cursor.p = first;
        return result;
    }
    const int outer = levels - 2;
    Stack stack(first, end, outer);
    const char* after = stack.find_all();
    if (!after) return std::nullopt;
    const std::size_t count = stack.begins.size();
    const bool large = static_cast<std::size_t>(after - first) >= kParallelBytes;
    // More pieces than threads, for masks take different times.
    const std::size_t pieces = large ? std::min(count, 8 * options.threads) : 1;
    std::vector<Maker> makers(pieces);
    std::vector<char> right(pieces, 0);
    parallel_for(pieces, options.threads, [&](std::size_t piece) {
        for (std::size_t i = piece * count / pieces; i < (piece + 1) * count / pieces; ++i) {
            const bool last = i + 1 == count;
            const char* stop = last ? after : stack.begins[i + 1];
            const char* at = stack.begins[i];
            if (!take_mask(at, stop, kernel, makers[piece]) || !only_border(at, stop, outer, last)) return;
        }
        makers[piece].words = {};
        right[piece] = 1;
    });
    for (const char all : right) {
        if (!all) return std::nullopt;
    }
    for (Maker& maker : makers) append_masks(std::exchange(maker, {}).masks, result);
    cursor.p = after;
    return result;
}

// --- the plain way -------------------------------------------------------------------------------------

std::string counted(std::size_t n, const char* what) { return std::to_string(n) + ' ' + what + (n == 1 ? "" : "s"); }

Error refusal(const Cursor& cursor, const char* rule, const char* at, std::string path, std::string found,
              std::string expected, std::string hint = {}) {
    Error error(rule, std::move(found), std::move(expected));
    error.at_path(std::move(path)).at_offset(cursor.offset(at)).with_hint(std::move(hint));
    return error;
}

// Reads any way of writing, several times over the text: brackets and lengths first, values then.
class PlainReader {
  public:
    PlainReader(const Cursor& cursor, const char* begin, const BitmaskOptions& options)
        : cursor_(cursor.origin(), begin, cursor.end, cursor.max_depth(), cursor.depth()),
          begin_(begin),
          options_(options) {}

    // Whether all leaves are numbers and booleans. Stops at the first that is not; else the text is checked.
    static bool is_numeric(Cursor cursor) {
        int open = 0;
        for (;;) {
            const char c = cursor.peek();
            if (c == '[') {
                cursor.enter();
                ++cursor.p, ++open;
                cursor.skip_space();
                if (!cursor.take(']')) continue;
                cursor.leave();
                --open;
            } else if (number_ahead(cursor) || c == 't' || c == 'f') {
                cursor.skip_value();
            } else if (c == '{' || c == '"' || c == 'n') {
                return false;
            } else {
                cursor.skip_value();  // throws
            }
            while (open > 0 && !cursor.next(']')) {
                cursor.leave();
                --open;
            }
            if (open == 0) return true;
        }
    }

    Bitmasks read() {
        Bitmasks result;
        result.offset = cursor_.offset(begin_);
        result.offsets.push_back(0);
        result.ndim = levels();
        if (result.ndim == 1) {
            throw refusal(cursor_, "M35", begin_, "", "one row of " + counted(length(begin_), "number"),
                          "a mask of rows, [H, W]");
        }
        if (result.ndim > kMaxLevels) {
            throw refusal(cursor_, "M35", begin_, "", std::to_string(result.ndim) + " levels of brackets",
                          "[H, W], [N, H, W] or [N, 1, H, W]");
        }
        if (result.ndim == 2) {
            read_mask(begin_, "");
            return finished(std::move(result));
        }
        std::size_t i = 0;
        each(begin_, [&](const char* mask) {
            std::string path = path_step(i++);
            if (result.ndim == 4) {
                const std::size_t channels = *mask == '[' ? length(mask) : 0;
                if (channels != 1) {
                    throw refusal(cursor_, "M35", mask, path,
                                  *mask == '[' ? counted(channels, "channel") : describe_value(mask, cursor_.end),
                                  "one, as in [N, 1, H, W]");
                }
                path += "[0]";
                each(mask, [&](const char* inner) { mask = inner; });
            }
            read_mask(mask, path);
        });
        return finished(std::move(result));
    }

    // Behind the value.
    const char* end() {
        Cursor cursor = at(begin_);
        cursor.skip_value();
        return cursor.p;
    }

  private:
    Cursor at(const char* p) const { return {cursor_.origin(), p, cursor_.end, cursor_.max_depth(), cursor_.depth()}; }

    template <typename Visit>
    void each(const char* list, Visit visit) const {
        Cursor cursor = at(list + 1);
        cursor.skip_space();
        if (cursor.take(']')) return;
        do {
            const char* element = cursor.p;
            cursor.skip_value();
            visit(element);
        } while (cursor.next(']'));
    }

    std::size_t length(const char* list) const {
        std::size_t n = 0;
        each(list, [&](const char*) { ++n; });
        return n;
    }

    int levels() const {
        int n = 0;
        for (const char* p = begin_; p < cursor_.end && *p == '['; p = skip_spaces(p + 1, cursor_.end)) ++n;
        return n;
    }

    void read_mask(const char* mask, const std::string& path) {
        if (*mask != '[')
            throw refusal(cursor_, "M35", mask, path, describe_value(mask, cursor_.end), "a mask of rows, [H, W]");
        std::size_t height = 0, width = 0;
        each(mask, [&](const char* row) {
            if (*row != '[')
                throw refusal(cursor_, "M35", row, path + path_step(height), describe_value(row, cursor_.end),
                              "a row of numbers");
            const std::size_t n = length(row);
            if (height == 0) width = n;
            if (n != width) {
                throw refusal(cursor_, "M31", row, path + path_step(height), "a row of " + std::to_string(n),
                              counted(width, "number") + ", as the first row has");
            }
            ++height;
        });
        if (height == 0) throw refusal(cursor_, "M34", mask, path, "a mask without rows", "at least one row");
        if (width == 0) throw refusal(cursor_, "M34", mask, path, "a mask without columns", "at least one column");
        if (height > kMaxPixels || width > kMaxPixels / height) {
            throw refusal(cursor_, "M34", mask, path,
                          std::to_string(height) + " x " + std::to_string(width) + " pixels", "fewer than 2^32");
        }
        maker_.words.clear();
        BitRows rows(maker_.words);
        const char* wrong = nullptr;
        std::size_t wrong_y = 0, wrong_x = 0, y = 0;
        each(mask, [&](const char* row) {
            std::size_t x = 0;
            each(row, [&](const char* element) {
                if (*element == '[')
                    throw refusal(cursor_, "M35", mask, path, "brackets of uneven depth", "a mask of rows, [H, W]");
                const int bit = bit_of(element);
                if (bit < 0 && !wrong) wrong = element, wrong_y = y, wrong_x = x;
                rows.append(bit == 1, 1);
                ++x;
            });
            rows.end_row();
            ++y;
        });
        if (wrong)
            throw refusal(cursor_, "M33", wrong, path + path_step(wrong_y) + path_step(wrong_x),
                          describe_value(wrong, cursor_.end), "0 or 1", hint_for(wrong));
        maker_.finish(height, width);
    }

    Bitmasks finished(Bitmasks result) const {
        append_masks(maker_.masks, result);
        return result;
    }

    double number_at(const char* p) const { return at(p).number(); }

    // 0, 1, or -1 for what is neither.
    int bit_of(const char* p) const {
        if (*p == 't') return 1;
        if (*p == 'f') return 0;
        const char next = p + 1 < cursor_.end ? p[1] : '\0';
        if ((*p == '0' || *p == '1') && (next == ',' || next == ']' || is_space(next))) return *p == '1';
        const double value = number_at(p);
        if (value == 0 || value == 1) return value == 1;
        return options_.values_255 && value == 255 ? 1 : -1;
    }

    std::string hint_for(const char* p) const {
        const double value = number_at(p);
        if (value > 0 && value < 1) return "a probability map? Threshold it to 0 and 1 first";
        if (value == 255) return "a 0/255 mask? Lenient mode (lenient=True, --lenient) reads 255 as 1";
        if (value > 1 && value == std::floor(value))
            return "a map of class numbers? Write one mask of 0 and 1 for each class";
        return {};
    }

    Cursor cursor_;
    const char* begin_;
    BitmaskOptions options_;
    Maker maker_;
};

}  // namespace

BitmaskValue read_bitmask(Cursor& cursor, const BitmaskOptions& options) {
    BitmaskValue value;
    const char* begin = cursor.p;
    if (std::optional<Bitmasks> masks = read_fast(cursor, options)) {
        value.masks = std::move(masks);
        return value;
    }
    Cursor inside(cursor.origin(), begin + 1, cursor.end, cursor.max_depth(), cursor.depth());
    inside.skip_space();
    if (inside.peek() == ']' ||
        !PlainReader::is_numeric(Cursor(cursor.origin(), begin, cursor.end, cursor.max_depth(), cursor.depth())))
        return value;
    PlainReader reader(cursor, begin, options);
    try {
        value.masks = reader.read();
    } catch (const Error& error) {
        value.problem = error;
    }
    cursor.p = reader.end();
    return value;
}

}  // namespace rapideval::reading
