// Matching inside one cell: the detections and the objects of one image and one label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "matching/overlap.hpp"

namespace rapideval::matching {

// Thresholds and area ranges as the matcher uses them. Bit a * T + t of a word row stands for range a,
// threshold t.
struct Grid {
    std::vector<double> thresholds;  // pycocotools' min(t, 1 - 1e-10)
    std::vector<double> ranges;      // (A, 2)
    std::size_t reference = 0;
    double lowest = 0;  // the lowest threshold: no pair below it can match
    double floor = 0;   // at most `lowest`: best IoUs below it are not told

    std::size_t threshold_count() const { return thresholds.size(); }
    std::size_t area_count() const { return ranges.size() / 2; }
    std::size_t words() const { return (threshold_count() * area_count() + 63) / 64; }
    std::uint64_t all_thresholds() const { return ~std::uint64_t{0} >> (64 - threshold_count()); }

    // Bit a: the area lies outside range a.
    std::uint64_t outside(double area) const {
        std::uint64_t bits = 0;
        for (std::size_t a = 0; 2 * a < ranges.size(); ++a) {
            bits |= static_cast<std::uint64_t>(area < ranges[2 * a] || area > ranges[2 * a + 1]) << a;
        }
        return bits;
    }

    // Bit t: the IoU reaches threshold t.
    std::uint64_t reached(double iou) const {
        std::uint64_t bits = 0;
        for (std::size_t t = 0; t < thresholds.size(); ++t) {
            bits |= static_cast<std::uint64_t>(!(iou < thresholds[t])) << t;
        }
        return bits;
    }

    // Sets the T bits of area range a in a row of words (which are 0 there).
    void put(std::uint64_t* row, std::size_t a, std::uint64_t bits) const {
        const std::size_t at = a * threshold_count();
        row[at / 64] |= bits << (at % 64);
        if (at % 64 + threshold_count() > 64) row[at / 64 + 1] |= bits >> (64 - at % 64);
    }
};

// What became of one detection that overlaps an object.
struct Candidate {
    double iou = 0, matched_iou = 0;
    std::int32_t iou_row = -1, matched_row = -1;
};

// The objects of the whole input, as far as matching needs them.
struct Objects {
    Flags crowd, ignore;                     // ignore may be empty
    std::span<const std::uint64_t> ignored;  // (G,) bit a: ignored in area range a
    std::uint64_t* matched = nullptr;        // (G, W), to be filled
    bool ignored_always(std::size_t row) const { return crowd[row] != 0 || (!ignore.empty() && ignore[row] != 0); }
};

class CellMatcher {
  public:
    CellMatcher(const Grid& grid, const Objects& objects, const Overlap& overlap)
        : grid_(grid), objects_(objects), overlap_(overlap), area_group_(grid.area_count()) {}

    // detections: row numbers by rank; outside: their Grid::outside. Afterwards candidate(d) tells, for the
    // d-th of them, where its candidate stands in `candidates` and its 2 W words (matched, ignored) in
    // `words`, or -1 where it overlaps nothing enough. Both vectors are appended to.
    void match(std::span<const std::int32_t> detections, std::span<const std::uint64_t> outside,
               std::span<const std::int32_t> cell, std::vector<Candidate>& candidates,
               std::vector<std::uint64_t>& words);

    std::int64_t candidate(std::size_t d) const { return candidate_[d]; }

  private:
    struct Pair {
        double iou;
        std::uint32_t detection, object;  // places in the cell
    };

    bool collect_pairs(std::span<const std::int32_t> detections, std::span<const std::int32_t> cell,
                       std::vector<Candidate>& candidates);
    void group_areas(std::span<const std::int32_t> cell);
    std::size_t assign(std::size_t first, std::span<const std::int32_t> cell, Candidate& candidate);

    const Grid& grid_;
    const Objects& objects_;
    const Overlap& overlap_;

    OverlapScratch scratch_;
    std::vector<double> iou_;  // of one detection with all objects of the cell
    std::vector<Pair> pairs_;  // at or above the lowest threshold, by detection, best first
    std::vector<std::int64_t> candidate_;
    std::vector<std::size_t> area_group_;  // area ranges in which the same objects are ignored are matched as one
    std::vector<std::size_t> group_area_;  // the first range of each group
    std::vector<std::uint64_t> free_;      // (groups, objects) bit t: not matched yet at threshold t
    std::vector<std::uint64_t> taken_;     // (groups, objects) bit t: matched at threshold t, crowds too
    std::vector<std::uint64_t> group_matched_, group_ignored_;  // of one detection
};

}  // namespace rapideval::matching
