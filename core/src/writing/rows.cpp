#include "writing/rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "writing/number.hpp"

namespace rapideval::writing {

namespace {

constexpr std::size_t kBlockRows = 8192;

// Text that grows; room is made before it is written to.
class Writer {
  public:
    char* room(std::size_t length) {
        if (capacity_ - size_ < length) grow(length);
        return data_.data() + size_;
    }
    void advance_to(const char* end) { size_ = static_cast<std::size_t>(end - data_.data()); }
    void put(std::string_view text) {
        if (text.empty()) return;
        std::memcpy(room(text.size()), text.data(), text.size());
        size_ += text.size();
    }
    std::size_t size() const { return size_; }
    std::string_view view() const { return {data_.data(), size_}; }

  private:
    void grow(std::size_t length) {
        const std::size_t wanted = std::max(size_ + length, std::max<std::size_t>(2 * capacity_, 4096));
        Buffer<char> larger(wanted);
        if (size_ > 0) std::memcpy(larger.data(), data_.data(), size_);
        data_ = std::move(larger);
        capacity_ = wanted;
    }

    Buffer<char> data_;
    std::size_t size_ = 0, capacity_ = 0;
};

void put_string(Writer& out, std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    char* to = out.room(6 * text.size() + 2);
    *to++ = '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && c != '"' && c != '\\') {
            *to++ = c;
            continue;
        }
        *to++ = '\\';
        switch (c) {
            case '"':
                *to++ = '"';
                break;
            case '\\':
                *to++ = '\\';
                break;
            case '\n':
                *to++ = 'n';
                break;
            case '\r':
                *to++ = 'r';
                break;
            case '\t':
                *to++ = 't';
                break;
            default:
                std::memcpy(to, "u00", 3);
                to[3] = kHex[byte >> 4];
                to[4] = kHex[byte & 15];
                to += 5;
        }
    }
    *to++ = '"';
    out.advance_to(to);
}

void put_floats(Writer& out, std::span<const double> values, std::string_view separator, std::size_t row) {
    char* to = out.room(values.size() * (kNumberLength + separator.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) {
            throw Error("not-finite", std::isnan(values[i]) ? "NaN" : "infinity", "a finite number")
                .at_row(static_cast<std::int64_t>(row));
        }
        if (i > 0) to = std::copy(separator.begin(), separator.end(), to);
        to = write_float(to, values[i]);
    }
    out.advance_to(to);
}

void put_integers(Writer& out, std::span<const std::int64_t> values, std::string_view separator) {
    char* to = out.room(values.size() * (kNumberLength + separator.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i > 0) to = std::copy(separator.begin(), separator.end(), to);
        to = write_integer(to, values[i]);
    }
    out.advance_to(to);
}

void put_value(Writer& out, const Column& column, std::size_t value, std::size_t row, std::string_view separator) {
    switch (column.kind) {
        case Column::Kind::kInteger:
            if (column.is_array) out.put("[");
            put_integers(out, column.integers.subspan(value * column.width, column.width), separator);
            if (column.is_array) out.put("]");
            break;
        case Column::Kind::kFloat:
            if (column.is_array) out.put("[");
            put_floats(out, column.floats.subspan(value * column.width, column.width), separator, row);
            if (column.is_array) out.put("]");
            break;
        case Column::Kind::kText:
            out.put(column.texts[value]);
            break;
        case Column::Kind::kString:
            put_string(out, column.texts[value]);
            break;
        case Column::Kind::kMembers: {
            const std::string_view text = column.texts[value];
            out.put(text.substr(1, text.size() - 2));
            break;
        }
    }
}

void check_column(const Column& column, std::size_t rows, std::size_t number) {
    const auto fail = [number](const char* what, std::size_t found, std::size_t expected) {
        throw Error("text-column", "column " + std::to_string(number) + " with " + std::to_string(found) + ' ' + what,
                    std::to_string(expected));
    };
    if (column.kind == Column::Kind::kText || column.kind == Column::Kind::kString ||
        column.kind == Column::Kind::kMembers) {
        check_texts(column.texts, "texts of a column");
    }
    if (column.rows() != rows) fail("rows", column.rows(), rows);
    if (column.has_present && column.present.size() != rows) fail("flags", column.present.size(), rows);
    if (column.has_index) {
        const std::size_t values = column.values();
        for (const std::int32_t value : column.index) {
            if (value < 0 || static_cast<std::size_t>(value) >= values) {
                throw Error("text-index", std::to_string(value), "a value below " + std::to_string(values));
            }
        }
    }
}

void check_members(const Column& column) {
    for (std::size_t i = 0; i < column.texts.size(); ++i) {
        const std::string_view text = column.texts[i];
        if (!text.empty() && (text.size() < 2 || text.front() != '{' || text.back() != '}')) {
            throw Error("text-members", std::string(text.substr(0, 40)), "a JSON object without space around it")
                .at_row(static_cast<std::int64_t>(i));
        }
    }
}

// Lays blocks one after another; lengths become offsets.
OwnTexts joined(const std::vector<Writer>& blocks, std::span<const std::int64_t> lengths, std::size_t threads) {
    std::size_t total = 0;
    std::vector<std::size_t> starts;
    for (const Writer& block : blocks) {
        starts.push_back(total);
        total += block.size();
    }
    OwnTexts result{Buffer<std::uint8_t>(total), Buffer<std::int64_t>(lengths.size() + 1)};
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        result.offsets[i] = offset;
        offset += lengths[i];
    }
    result.offsets[lengths.size()] = offset;
    parallel_for(blocks.size(), threads, [&](std::size_t b) {
        const std::string_view text = blocks[b].view();
        if (!text.empty()) std::memcpy(result.data.data() + starts[b], text.data(), text.size());
    });
    return result;
}

template <typename Format>
OwnTexts in_blocks(std::size_t rows, std::size_t threads, const Format& format) {
    std::vector<Writer> blocks((rows + kBlockRows - 1) / kBlockRows);
    Buffer<std::int64_t> lengths(rows);
    parallel_for(blocks.size(), threads, [&](std::size_t b) {
        const std::size_t end = std::min(rows, (b + 1) * kBlockRows);
        for (std::size_t row = b * kBlockRows; row < end; ++row) {
            const std::size_t before = blocks[b].size();
            format(blocks[b], row);
            lengths[row] = static_cast<std::int64_t>(blocks[b].size() - before);
        }
    });
    return joined(blocks, {lengths.data(), lengths.size()}, threads);
}

}  // namespace

std::size_t Column::values() const {
    switch (kind) {
        case Kind::kInteger:
            return width == 0 ? 0 : integers.size() / width;
        case Kind::kFloat:
            return width == 0 ? 0 : floats.size() / width;
        default:
            return texts.size();
    }
}

void check_texts(const Texts& texts, const char* what) {
    const auto& offsets = texts.offsets;
    const bool sound = !offsets.empty() && offsets.front() == 0 &&
                       static_cast<std::uint64_t>(offsets.back()) == texts.data.size() &&
                       std::is_sorted(offsets.begin(), offsets.end());
    if (!sound)
        throw Error("text-offsets", std::string("offsets that do not fit the ") + what, "rising from 0 to its size");
}

OwnTexts format_rows(std::span<const std::string_view> literals, std::span<const Column> columns, std::size_t rows,
                     std::string_view separator, std::size_t threads) {
    if (literals.size() != columns.size() + 1) {
        throw Error("text-literals", std::to_string(literals.size()), std::to_string(columns.size() + 1));
    }
    for (std::size_t c = 0; c < columns.size(); ++c) {
        check_column(columns[c], rows, c);
        if (columns[c].kind == Column::Kind::kMembers) check_members(columns[c]);
    }
    return in_blocks(rows, threads, [&](Writer& out, std::size_t row) {
        for (std::size_t c = 0; c < columns.size(); ++c) {
            const Column& column = columns[c];
            if (column.has_present && column.present[row] == 0) continue;
            const std::size_t value = column.has_index ? static_cast<std::size_t>(column.index[row]) : row;
            if (column.kind == Column::Kind::kMembers && column.texts[value].size() <= 2) continue;
            out.put(literals[c]);
            put_value(out, column, value, row, separator);
        }
        out.put(literals.back());
    });
}

OwnTexts join_texts(const Texts& texts, std::span<const std::int64_t> groups, std::string_view open,
                    std::string_view separator, std::string_view close, std::size_t threads) {
    check_texts(texts, "texts");
    if (groups.empty() || groups.front() != 0 || static_cast<std::uint64_t>(groups.back()) != texts.size() ||
        !std::is_sorted(groups.begin(), groups.end())) {
        throw Error("text-groups", "groups that do not fit the texts", "rising from 0 to their number");
    }
    return in_blocks(groups.size() - 1, threads, [&](Writer& out, std::size_t group) {
        out.put(open);
        for (auto i = static_cast<std::size_t>(groups[group]); i < static_cast<std::size_t>(groups[group + 1]); ++i) {
            if (i > static_cast<std::size_t>(groups[group])) out.put(separator);
            out.put(texts[i]);
        }
        out.put(close);
    });
}

}  // namespace rapideval::writing
