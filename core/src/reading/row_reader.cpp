// One JSON object -> one row. The hot loop of reading COCO files.
//
// A row is taken as the row before it was: the name expected next is compared as one 16-byte word, and
// numbers are read eight digits at a time. Whatever does not go that way (names in another order, with
// escapes, unknown; numbers with exponents; values of another kind) goes a slower way to the same result.
#include "reading/row_reader.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace rapideval::reading {

namespace {

constexpr int kUnknown = -1;

// `"name":` as two words and the masks of the bytes that count.
struct NameWord {
    std::uint64_t low, high, low_mask, high_mask;
    int length;
};

template <typename Rows>
constexpr auto name_words() {
    std::array<NameWord, Rows::kNames.size()> words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view name = Rows::kNames[i];
        const auto put = [&](std::size_t at, char c) {
            std::uint64_t& word = at < 8 ? words[i].low : words[i].high;
            std::uint64_t& mask = at < 8 ? words[i].low_mask : words[i].high_mask;
            word |= static_cast<std::uint64_t>(static_cast<unsigned char>(c)) << (at % 8 * 8);
            mask |= std::uint64_t{0xFF} << (at % 8 * 8);
        };
        put(0, '"');
        for (std::size_t k = 0; k < name.size(); ++k) put(k + 1, name[k]);
        put(name.size() + 1, '"');
        put(name.size() + 2, ':');
        words[i].length = static_cast<int>(name.size() + 3);
        if (words[i].length > 16) words[i] = {1, 1, 0, 0, 0};  // never equal: found the slower way
    }
    return words;
}

template <typename Rows>
int find_name(std::string_view name) {
    for (std::size_t i = 0; i < Rows::kNames.size(); ++i) {
        if (Rows::kNames[i] == name) return static_cast<int>(i);
    }
    return kUnknown;
}

}  // namespace

// The field whose plain name, with quotes and colon, stands ahead; the cursor is then behind the colon and
// space.
template <typename Rows>
int RowReader<Rows>::take_known_name(Cursor& cursor, std::size_t place) {
    static constexpr auto kWords = name_words<Rows>();
    if (cursor.end - cursor.p < 17) return kUnknown;
    std::uint64_t low, high;
    std::memcpy(&low, cursor.p, 8);
    std::memcpy(&high, cursor.p + 8, 8);
    const auto matches = [&](const NameWord& word) {
        return ((low ^ word.low) & word.low_mask) == 0 && ((high ^ word.high) & word.high_mask) == 0 &&
               word.length != 0;
    };
    std::size_t field = place < order_.size() ? order_[place] : 0;
    if (!matches(kWords[field])) {
        field = 0;
        while (field < kWords.size() && !matches(kWords[field])) ++field;
        if (field == kWords.size()) return kUnknown;
        if (place < order_.size()) order_[place] = static_cast<std::uint8_t>(field);
    }
    cursor.p += kWords[field].length;
    // Most writers put one space after the colon, or none.
    if (*cursor.p == ' ') ++cursor.p;
    cursor.skip_space();
    return static_cast<int>(field);
}

template <typename Rows>
void RowReader<Rows>::keep_member(const char* begin, const char* end) {
    TextColumn& extras = rows.extras;
    if (extras_begin_ == extras.data.size()) extras.end_rows_up_to(rows.rows);
    extras.data.push_back(extras_begin_ == extras.data.size() ? '{' : ',');
    extras.data.append(begin, static_cast<std::size_t>(end - begin));
}

template <typename Rows>
std::uint32_t RowReader<Rows>::read_members(Cursor& cursor) {
    std::size_t place = 0;
    std::uint32_t named = 0, present = 0;
    bool unknown = false;
    do {
        const char* name_at = cursor.p;
        int field = take_known_name(cursor, place++);
        if (field == kUnknown) {
            const RawString name = cursor.member_name();
            if (name.escaped) {
                decoded_.clear();
                decode_string(name, decoded_);
                field = find_name<Rows>(decoded_);
            } else {
                field = find_name<Rows>(name.view());
            }
            if (field == kUnknown) {
                if (!unknown) {
                    members_.clear();
                    members_.open();
                    unknown = true;
                }
                members_.add(name);
                cursor.skip_value();
                if (options_.extras) keep_member(name_at, cursor.p);
                continue;
            }
        }
        if ((named >> field & 1) != 0) cursor.fail_duplicate(name_at);
        named |= 1u << field;
        if (read_field(cursor, field, rows)) present |= 1u << field;
    } while (cursor.next('}'));
    if (unknown) {
        if (const char* twice = members_.close()) cursor.fail_duplicate(twice);
    }
    return present;
}

template <typename Rows>
void RowReader<Rows>::read(Cursor& cursor) {
    std::uint32_t present = 0;
    null_ = 0;
    row_problems_ = 0;
    extras_begin_ = rows.extras.data.size();
    try {
        if (cursor.peek() == '{') {
            cursor.enter();
            ++cursor.p;
            cursor.skip_space();
            if (!cursor.take('}')) present = read_members(cursor);
            cursor.leave();
        } else {
            const char* begin = cursor.p;
            cursor.skip_value();
            add_problem(cursor, begin, "coco-object", "", describe_value(begin, cursor.p), "an object");
        }
    } catch (const Error&) {
        rows.truncate();
        throw;
    }
    if (rows.extras.data.size() != extras_begin_) rows.extras.data.push_back('}');
    rows.seen.push_back(static_cast<std::uint8_t>(present));
    rows.any = static_cast<std::uint8_t>(rows.any | present);
    rows.all = static_cast<std::uint8_t>(rows.all & present);
    for (std::uint32_t bits = null_; bits != 0; bits &= bits - 1)
        ++rows.nulls[static_cast<std::size_t>(std::countr_zero(bits))];
    rows.problem_count += row_problems_;
    ++rows.rows;
    if (rows.extras.used()) rows.extras.end_rows_up_to(rows.rows);
    rows.end_row();
}

template class RowReader<AnnotationRows>;
template class RowReader<ImageRows>;
template class RowReader<CategoryRows>;

}  // namespace rapideval::reading
