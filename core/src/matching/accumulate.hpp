// From the match table to precision and recall, bit for bit what pycocotools' COCOeval.accumulate computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/buffer.hpp"

namespace rapideval::matching {

// The columns of a match table that accumulation reads.
struct TableView {
    std::span<const std::int64_t> label_offsets;  // (K + 1,)
    std::span<const double> score;                // (D,) falling within a label
    std::span<const std::int32_t> rank;           // (D,)
    std::span<const std::uint64_t> matched;       // (D, W)
    std::span<const std::uint64_t> ignored;       // (D, W)
    std::size_t thresholds = 0, areas = 0;        // T, A

    std::size_t labels() const { return label_offsets.size() - 1; }
    std::size_t words() const { return (thresholds * areas + 63) / 64; }
    std::uint64_t all_thresholds() const { return ~std::uint64_t{0} >> (64 - thresholds); }

    // The T bits of area range a in a row of words.
    std::uint64_t bits(const std::uint64_t* row, std::size_t a) const {
        const std::size_t at = a * thresholds;
        std::uint64_t value = row[at / 64] >> (at % 64);
        if (at % 64 + thresholds > 64) value |= row[at / 64 + 1] << (64 - at % 64);
        return value & all_thresholds();
    }
};

// Throws Error unless the columns fit together and the offsets rise.
void check_table(const TableView& table);

// Values of undefined cells (no object of the label in the area range) are -1.
struct Curves {
    Buffer<double> precision;  // (A, M, T, R, K)
    Buffer<double> recall;     // (A, M, T, K)
    Buffer<double> scores;     // (A, M, T, R, K)
};

// positives (K, A): how many objects count. recall_thresholds (R,) rise; limits (M,) are at least 1.
Curves accumulate(const TableView& table, std::span<const std::int64_t> positives,
                  std::span<const double> recall_thresholds, std::span<const std::int64_t> limits, int threads);

}  // namespace rapideval::matching
