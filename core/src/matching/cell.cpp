#include "matching/cell.hpp"

#include <algorithm>

namespace rapideval::matching {

// Finds the best IoU of every detection and the pairs that can match. Returns whether some detection has a
// choice.
bool CellMatcher::collect_pairs(std::span<const std::int32_t> detections, std::span<const std::int32_t> cell,
                                std::vector<Candidate>& candidates) {
    pairs_.clear();
    candidate_.assign(detections.size(), -1);
    iou_.resize(cell.size());
    bool choice = false;
    for (std::size_t d = 0; d < detections.size(); ++d) {
        overlap_.row(detections[d], cell, grid_.floor, iou_.data(), scratch_);
        const std::size_t first = pairs_.size();
        Candidate found;
        for (std::size_t g = 0; g < cell.size(); ++g) {
            const double iou = iou_[g];
            if (iou < grid_.floor) continue;
            if (iou > found.iou && !objects_.ignored_always(static_cast<std::size_t>(cell[g]))) {
                found.iou = iou;
                found.iou_row = cell[g];
            }
            if (iou < grid_.lowest) continue;
            pairs_.push_back({iou, static_cast<std::uint32_t>(d), static_cast<std::uint32_t>(g)});
        }
        if (pairs_.size() == first && found.iou_row < 0) continue;
        candidate_[d] = static_cast<std::int64_t>(candidates.size());
        candidates.push_back(found);
        if (pairs_.size() - first > 1) {
            choice = true;
            // The reference walks the objects in order and takes a later one of equal IoU: the last comes
            // first here.
            std::sort(
                pairs_.begin() + static_cast<std::ptrdiff_t>(first), pairs_.end(),
                [](const Pair& a, const Pair& b) { return a.iou != b.iou ? a.iou > b.iou : a.object > b.object; });
        }
    }
    return choice;
}

void CellMatcher::group_areas(std::span<const std::int32_t> cell) {
    group_area_.clear();
    for (std::size_t a = 0; a < area_group_.size(); ++a) {
        std::size_t group = 0;
        for (; group < group_area_.size(); ++group) {
            const std::size_t b = group_area_[group];
            const bool same = std::all_of(cell.begin(), cell.end(), [&](std::int32_t row) {
                const std::uint64_t bits = objects_.ignored[static_cast<std::size_t>(row)];
                return ((bits >> a ^ bits >> b) & 1) == 0;
            });
            if (same) break;
        }
        if (group == group_area_.size()) group_area_.push_back(a);
        area_group_[a] = group;
    }
}

// Matches the detection whose pairs begin at `first`, for every group of area ranges; returns where its pairs
// end.
//
// At one threshold the reference gives a detection the free object of the highest IoU, and an ignored object
// only where no other is left. Thresholds differ in nothing but which pairs reach them, so one walk over the
// pairs, best first, serves all: each object takes those thresholds that it reaches, that it is free at, and
// that are still open.
std::size_t CellMatcher::assign(std::size_t first, std::span<const std::int32_t> cell, Candidate& candidate) {
    std::size_t end = first;
    while (end < pairs_.size() && pairs_[end].detection == pairs_[first].detection) ++end;
    const std::uint64_t reference = std::uint64_t{1} << grid_.reference;
    for (std::size_t group = 0; group < group_area_.size(); ++group) {
        const std::size_t a = group_area_[group];
        std::uint64_t open = grid_.all_thresholds();
        std::uint64_t ignored = 0;
        for (const bool of_ignored : {false, true}) {
            for (std::size_t p = first; p < end && open != 0; ++p) {
                const std::size_t g = pairs_[p].object;
                const auto row = static_cast<std::size_t>(cell[g]);
                if (((objects_.ignored[row] >> a & 1) != 0) != of_ignored) continue;
                const std::size_t slot = group * cell.size() + g;
                const std::uint64_t take = open & grid_.reached(pairs_[p].iou) & free_[slot];
                if (take == 0) continue;
                open &= ~take;
                taken_[slot] |= take;
                if (objects_.crowd[row] == 0) free_[slot] &= ~take;
                if (of_ignored) ignored |= take;
                if ((take & reference) != 0 && area_group_[0] == group) {
                    candidate.matched_row = cell[g];
                    candidate.matched_iou = pairs_[p].iou;
                }
            }
        }
        group_matched_[group] = grid_.all_thresholds() & ~open;
        group_ignored_[group] = ignored;
    }
    return end;
}

void CellMatcher::match(std::span<const std::int32_t> detections, std::span<const std::uint64_t> outside,
                        std::span<const std::int32_t> cell, std::vector<Candidate>& candidates,
                        std::vector<std::uint64_t>& words) {
    const bool choice = collect_pairs(detections, cell, candidates);
    if (choice) {
        group_areas(cell);
    } else {
        // No detection has a choice between objects, so what is ignored cannot change who is matched.
        group_area_.assign(1, 0);
        std::fill(area_group_.begin(), area_group_.end(), 0);
    }
    const std::size_t slots = group_area_.size() * cell.size();
    free_.assign(slots, grid_.all_thresholds());
    taken_.assign(slots, 0);
    group_matched_.resize(group_area_.size());
    group_ignored_.resize(group_area_.size());

    std::size_t pair = 0;
    for (std::size_t d = 0; d < detections.size(); ++d) {
        if (candidate_[d] < 0) continue;
        const std::size_t first = pair;
        const bool paired = pair < pairs_.size() && pairs_[pair].detection == d;
        if (paired) pair = assign(first, cell, candidates[static_cast<std::size_t>(candidate_[d])]);

        const std::size_t at = words.size();
        words.resize(at + 2 * grid_.words(), 0);
        std::uint64_t* const matched = words.data() + at;
        std::uint64_t* const ignored = matched + grid_.words();
        for (std::size_t a = 0; a < area_group_.size(); ++a) {
            const std::size_t group = area_group_[a];
            const std::uint64_t hit = paired ? group_matched_[group] : 0;
            std::uint64_t skip = paired ? group_ignored_[group] : 0;
            if (paired && !choice) {
                const auto row = static_cast<std::size_t>(cell[pairs_[first].object]);
                skip = (objects_.ignored[row] >> a & 1) != 0 ? hit : 0;
            }
            if ((outside[d] >> a & 1) != 0) skip |= grid_.all_thresholds() & ~hit;
            grid_.put(matched, a, hit);
            grid_.put(ignored, a, skip);
        }
    }
    for (std::size_t g = 0; g < cell.size(); ++g) {
        std::uint64_t* const row = objects_.matched + static_cast<std::size_t>(cell[g]) * grid_.words();
        for (std::size_t a = 0; a < area_group_.size(); ++a) {
            grid_.put(row, a, taken_[area_group_[a] * cell.size() + g]);
        }
    }
}

}  // namespace rapideval::matching
