#include "reading/ids.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace rapideval::reading {

namespace {

[[noreturn]] void refuse_duplicate(std::int64_t key, std::size_t row) {
    throw Error("duplicate-id", "the id " + std::to_string(key) + " for the second time", "each id once")
        .at_row(static_cast<std::int64_t>(row));
}

// Ids that lie close together: a table over their whole range, one look per value.
class RangeTable {
  public:
    RangeTable(std::span<const std::int64_t> keys, std::int64_t lowest, std::uint64_t range)
        : lowest_(static_cast<std::uint64_t>(lowest)), rows_(range + 1, -1) {
        for (std::size_t row = 0; row < keys.size(); ++row) {
            std::int32_t& slot = rows_[static_cast<std::uint64_t>(keys[row]) - lowest_];
            if (slot != -1) refuse_duplicate(keys[row], row);
            slot = static_cast<std::int32_t>(row);
        }
    }

    std::int32_t find(std::int64_t value) const {
        const std::uint64_t at = static_cast<std::uint64_t>(value) - lowest_;
        return at < rows_.size() ? rows_[at] : -1;
    }

  private:
    std::uint64_t lowest_;
    std::vector<std::int32_t> rows_;
};

// Any ids: sorted, and searched from the end of a small table over their leading bits. Unlike hashing, no
// choice of ids makes it slow: a look-up costs at most one binary search.
class SortedTable {
  public:
    SortedTable(std::span<const std::int64_t> keys, std::int64_t lowest, std::uint64_t range)
        : lowest_(static_cast<std::uint64_t>(lowest)), range_(range), entries_(keys.size()) {
        for (std::size_t row = 0; row < keys.size(); ++row) {
            entries_[row] = {static_cast<std::uint64_t>(keys[row]) - lowest_, static_cast<std::int32_t>(row)};
        }
        std::sort(entries_.begin(), entries_.end(),
                  [](const Entry& a, const Entry& b) { return a.key != b.key ? a.key < b.key : a.row < b.row; });
        std::size_t twice = keys.size();
        for (std::size_t i = 1; i < entries_.size(); ++i) {
            if (entries_[i].key == entries_[i - 1].key)
                twice = std::min(twice, static_cast<std::size_t>(entries_[i].row));
        }
        if (twice != keys.size()) refuse_duplicate(keys[twice], twice);
        const int bits = static_cast<int>(std::bit_width(keys.size())) + 1;
        shift_ = std::max(0, static_cast<int>(std::bit_width(range)) - bits);
        starts_.assign(static_cast<std::size_t>(range >> shift_) + 2, static_cast<std::uint32_t>(entries_.size()));
        for (std::size_t i = entries_.size(); i-- > 0;)
            starts_[static_cast<std::size_t>(entries_[i].key >> shift_)] = static_cast<std::uint32_t>(i);
        for (std::size_t i = starts_.size() - 1; i-- > 0;) starts_[i] = std::min(starts_[i], starts_[i + 1]);
    }

    std::int32_t find(std::int64_t value) const {
        const std::uint64_t key = static_cast<std::uint64_t>(value) - lowest_;
        if (key > range_) return -1;
        const auto slot = static_cast<std::size_t>(key >> shift_);
        const Entry* first = entries_.data() + starts_[slot];
        const Entry* last = entries_.data() + starts_[slot + 1];
        first = std::lower_bound(first, last, key, [](const Entry& entry, std::uint64_t k) { return entry.key < k; });
        return first != last && first->key == key ? first->row : -1;
    }

  private:
    struct Entry {
        std::uint64_t key;
        std::int32_t row;
    };
    std::uint64_t lowest_, range_;
    int shift_ = 0;
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> starts_;
};

template <typename Table>
void look_up(const Table& table, std::span<const std::int64_t> values, std::span<std::int32_t> rows, int threads) {
    constexpr std::size_t kPiece = std::size_t{1} << 17;
    const std::size_t pieces = (values.size() + kPiece - 1) / kPiece;
    parallel_for(pieces, pieces > 1 ? thread_count(threads) : 1, [&](std::size_t piece) {
        const std::size_t end = std::min(values.size(), (piece + 1) * kPiece);
        for (std::size_t i = piece * kPiece; i < end; ++i) rows[i] = table.find(values[i]);
    });
}

}  // namespace

void index_ids(std::span<const std::int64_t> values, std::span<const std::int64_t> keys, std::span<std::int32_t> rows,
               int threads) {
    if (keys.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
        throw Error("too-many-ids", std::to_string(keys.size()) + " ids", "fewer than 2^31");
    }
    if (keys.empty()) {
        std::fill(rows.begin(), rows.end(), -1);
        return;
    }
    const auto [lowest, highest] = std::minmax_element(keys.begin(), keys.end());
    const std::uint64_t range = static_cast<std::uint64_t>(*highest) - static_cast<std::uint64_t>(*lowest);
    // COCO's image ids reach 581,929 for 5,000 images: a table of 2 MB, well worth it for many values.
    const std::uint64_t worth =
        16 * static_cast<std::uint64_t>(keys.size()) + 4 * static_cast<std::uint64_t>(values.size()) + 1024;
    if (range < worth) {
        look_up(RangeTable(keys, *lowest, range), values, rows, threads);
    } else {
        look_up(SortedTable(keys, *lowest, range), values, rows, threads);
    }
}

}  // namespace rapideval::reading
