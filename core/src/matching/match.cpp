#include "matching/match.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "matching/cell.hpp"
#include "matching/groups.hpp"
#include "matching/order.hpp"

namespace rapideval::matching {

namespace {

constexpr std::size_t kMaxBits = 64;                     // thresholds, and area ranges: one bit each in a word
constexpr std::size_t kMaxAreas = 62;                    // two bits of Entry::fate are taken
constexpr std::size_t kPieceRows = 8192;                 // detections to a piece of work
constexpr std::size_t kCounters = std::size_t{1} << 22;  // pieces x labels at most

// A detection that is kept, on its way from its image to its label.
struct Entry {
    double score;
    std::uint64_t fate;  // overlaps nothing: kPlain and the bits of Grid::outside; else piece << 32 | candidate
    std::int32_t row, image, rank;
};
constexpr std::uint64_t kPlain = std::uint64_t{1} << 63;

// Images of consecutive rank, matched as one piece of work, and what came of it.
struct Piece {
    std::size_t first_rank = 0, last_rank = 0;
    std::vector<Candidate> candidates;
    std::vector<std::uint64_t> words;  // 2 W for each candidate
};

inline void prefetch([[maybe_unused]] const void* address) {
#if defined(__GNUC__)
    __builtin_prefetch(address);
#endif
}

void check_numbers(std::span<const double> values, const char* name) {
    for (std::size_t row = 0; row < values.size(); ++row) {
        if (std::isfinite(values[row])) continue;
        throw Error("not-finite", std::to_string(values[row]), "a finite number")
            .at_path(name)
            .at_row(static_cast<std::int64_t>(row));
    }
}

void check_length(std::size_t found, std::size_t expected, const char* name) {
    if (found == expected) return;
    throw Error("column-length", std::to_string(found) + " rows", std::to_string(expected) + " rows").at_path(name);
}

Grid make_grid(const MatchOptions& options) {
    Grid grid;
    for (const double threshold : options.iou_thresholds) {
        if (!std::isfinite(threshold)) {
            throw Error("not-finite", std::to_string(threshold), "finite thresholds").at_path("iou_thresholds");
        }
        grid.thresholds.push_back(std::min(threshold, 1 - 1e-10));
    }
    if (grid.thresholds.empty() || grid.thresholds.size() > kMaxBits) {
        throw Error("protocol-size", std::to_string(grid.thresholds.size()) + " IoU thresholds", "1 to 64")
            .at_path("iou_thresholds");
    }
    grid.ranges.assign(options.area_ranges.begin(), options.area_ranges.end());
    if (grid.area_count() == 0 || grid.area_count() > kMaxAreas) {
        throw Error("protocol-size", std::to_string(grid.area_count()) + " area ranges", "1 to 62")
            .at_path("area_ranges");
    }
    if (options.reference >= grid.thresholds.size()) {
        throw Error("protocol-reference", std::to_string(options.reference), "the place of a threshold")
            .at_path("reference");
    }
    if (options.max_detections < 1) {
        throw Error("protocol-limit", std::to_string(options.max_detections), "at least 1").at_path("max_detections");
    }
    grid.reference = options.reference;
    grid.lowest = *std::min_element(grid.thresholds.begin(), grid.thresholds.end());
    grid.floor = std::min(options.iou_floor, grid.lowest);
    return grid;
}

void check_ranks(std::span<const std::int32_t> ranks) {
    std::vector<bool> seen(ranks.size());
    check_places(ranks, ranks.size(), "image_rank");
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        if (seen[static_cast<std::size_t>(ranks[i])]) {
            throw Error("column-range", "rank " + std::to_string(ranks[i]) + " twice", "a permutation")
                .at_path("image_rank")
                .at_row(static_cast<std::int64_t>(i));
        }
        seen[static_cast<std::size_t>(ranks[i])] = true;
    }
}

// Rows of one image by label: cells in the order in which their labels are first met, rows in order within
// each.
class Cells {
  public:
    explicit Cells(std::size_t labels) : start_(labels, 0), count_(labels, 0) {}

    void split(std::span<const std::int32_t> rows, std::span<const std::int32_t> label, bool one_cell) {
        for (const std::int32_t l : present_) count_[static_cast<std::size_t>(l)] = 0;
        present_.clear();
        rows_.resize(rows.size());
        if (one_cell) {
            std::copy(rows.begin(), rows.end(), rows_.begin());
            std::stable_sort(rows_.begin(), rows_.end(), [&](std::int32_t a, std::int32_t b) {
                return label[static_cast<std::size_t>(a)] < label[static_cast<std::size_t>(b)];
            });
            start_[0] = 0;
            count_[0] = rows.size();
            if (!rows.empty()) present_.push_back(0);
            return;
        }
        for (const std::int32_t row : rows) {
            const std::int32_t l = label[static_cast<std::size_t>(row)];
            if (count_[static_cast<std::size_t>(l)]++ == 0) present_.push_back(l);
        }
        std::size_t at = 0;
        for (const std::int32_t l : present_) {
            start_[static_cast<std::size_t>(l)] = at;
            at += std::exchange(count_[static_cast<std::size_t>(l)], 0);
        }
        for (const std::int32_t row : rows) {
            const auto l = static_cast<std::size_t>(label[static_cast<std::size_t>(row)]);
            rows_[start_[l] + count_[l]++] = row;
        }
    }

    std::span<const std::int32_t> present() const { return present_; }
    std::span<std::int32_t> cell(std::int32_t label) {
        const auto l = static_cast<std::size_t>(label);
        return {rows_.data() + start_[l], count_[l]};
    }

  private:
    std::vector<std::size_t> start_, count_;
    std::vector<std::int32_t> present_, rows_;
};

class Matcher {
  public:
    Matcher(const Rows& detections, std::span<const double> scores, const Rows& objects, Flags crowd, Flags ignore,
            const Overlap& overlap, const MatchOptions& options)
        : detections_(detections),
          scores_(scores),
          objects_(objects),
          crowd_(crowd),
          ignore_(ignore),
          overlap_(overlap),
          options_(options),
          grid_(make_grid(options)),
          threads_(thread_count(options.threads)),
          labels_(options.class_agnostic ? 1 : options.labels) {
        check();
    }

    MatchTable run() {
        flag_objects();
        detection_groups_ = group_by_image(detections_.image, options_.image_rank, "predictions.image");
        object_groups_ = group_by_image(objects_.image, options_.image_rank, "ground_truth.image");
        cut_pieces();
        reserve_entries();
        parallel_for(pieces_.size(), threads_, [&](std::size_t p) { match_piece(p); });
        sort_labels();
        gather();
        return std::move(table_);
    }

  private:
    void check() const;
    void flag_objects();
    void cut_pieces();
    void reserve_entries();
    void match_piece(std::size_t p);
    void sort_cell(std::span<std::int32_t> cell) const;
    void sort_labels();
    void gather();
    void gather_rows(std::size_t begin, std::size_t end);
    void write_row(std::size_t at, const Entry& entry);

    std::size_t label_of(std::size_t row) const {
        return options_.class_agnostic ? 0 : static_cast<std::size_t>(detections_.label[row]);
    }

    const Rows& detections_;
    const std::span<const double> scores_;
    const Rows& objects_;
    const Flags crowd_, ignore_;
    const Overlap& overlap_;
    const MatchOptions& options_;
    const Grid grid_;
    const std::size_t threads_;
    const std::size_t labels_;

    Groups detection_groups_, object_groups_;
    std::vector<Piece> pieces_;
    Buffer<Entry> entries_;
    std::vector<std::size_t> entry_begin_,
        entry_end_;                // (labels, pieces): where a piece puts a label's entries
    Buffer<std::uint32_t> order_;  // of each label, by falling score: place among its entries
    std::vector<std::uint64_t> plain_words_;
    MatchTable table_;
};

void Matcher::check() const {
    check_length(detections_.label.size(), detections_.size(), "predictions.label");
    check_length(detections_.area.size(), detections_.size(), "predictions.area");
    check_length(scores_.size(), detections_.size(), "predictions.score");
    check_length(objects_.label.size(), objects_.size(), "ground_truth.label");
    check_length(objects_.area.size(), objects_.size(), "ground_truth.area");
    check_length(crowd_.size(), objects_.size(), "ground_truth.crowd");
    if (!ignore_.empty()) check_length(ignore_.size(), objects_.size(), "ground_truth.ignore");
    check_places(detections_.label, options_.labels, "predictions.label");
    check_places(objects_.label, options_.labels, "ground_truth.label");
    check_numbers(scores_, "predictions.score");
    check_numbers(detections_.area, "predictions.area");
    check_numbers(objects_.area, "ground_truth.area");
    check_ranks(options_.image_rank);
}

void Matcher::flag_objects() {
    table_.words = grid_.words();
    table_.object_ignored = Buffer<std::uint64_t>(objects_.size());
    table_.object_matched = Buffer<std::uint64_t>(objects_.size() * grid_.words());
    std::fill(table_.object_matched.begin(), table_.object_matched.end(), 0);
    const std::uint64_t all = (std::uint64_t{1} << grid_.area_count()) - 1;
    for (std::size_t row = 0; row < objects_.size(); ++row) {
        const bool always = crowd_[row] != 0 || (!ignore_.empty() && ignore_[row] != 0);
        table_.object_ignored[row] = always ? all : grid_.outside(objects_.area[row]);
    }
}

// Pieces depend on the data alone, never on the number of threads.
void Matcher::cut_pieces() {
    const std::size_t images = options_.image_rank.size();
    const std::size_t most = std::max<std::size_t>(1, kCounters / std::max<std::size_t>(1, labels_));
    const std::size_t rows = std::max(kPieceRows, (detections_.size() + objects_.size()) / most + 1);
    std::size_t held = 0;
    for (std::size_t rank = 0; rank < images; ++rank) {
        if (pieces_.empty() || held >= rows) {
            pieces_.push_back({rank, rank, {}, {}});
            held = 0;
        }
        held += detection_groups_.rows(rank).size() + object_groups_.rows(rank).size();
        pieces_.back().last_rank = rank + 1;
    }
}

// Counts how many detections of each label a piece has, so that it can put them straight where their label
// gathers.
void Matcher::reserve_entries() {
    const std::size_t pieces = pieces_.size();
    entry_begin_.assign(labels_ * pieces + 1, 0);
    parallel_for(pieces, threads_, [&](std::size_t p) {
        std::vector<std::size_t> count(labels_, 0);
        for (std::size_t rank = pieces_[p].first_rank; rank < pieces_[p].last_rank; ++rank) {
            for (const std::int32_t row : detection_groups_.rows(rank))
                ++count[label_of(static_cast<std::size_t>(row))];
        }
        for (std::size_t l = 0; l < labels_; ++l) entry_begin_[l * pieces + p] = count[l];
    });
    std::size_t total = 0;
    for (std::size_t& begin : entry_begin_) total += std::exchange(begin, total);
    entry_end_ = entry_begin_;
    entries_ = Buffer<Entry>(detections_.size());
}

void Matcher::sort_cell(std::span<std::int32_t> cell) const {
    const auto higher = [&](std::int32_t a, std::int32_t b) {
        return scores_[static_cast<std::size_t>(a)] > scores_[static_cast<std::size_t>(b)];
    };
    if (cell.size() > 32) {
        std::stable_sort(cell.begin(), cell.end(), higher);
        return;
    }
    for (std::size_t i = 1; i < cell.size(); ++i) {
        const std::int32_t row = cell[i];
        std::size_t at = i;
        for (; at > 0 && higher(row, cell[at - 1]); --at) cell[at] = cell[at - 1];
        cell[at] = row;
    }
}

void Matcher::match_piece(std::size_t p) {
    Piece& piece = pieces_[p];
    const Objects truth{crowd_, ignore_, table_.object_ignored, table_.object_matched.data()};
    CellMatcher matcher(grid_, truth, overlap_);
    Cells cells(labels_), truth_cells(labels_);
    std::vector<std::uint64_t> outside;
    const auto limit = static_cast<std::size_t>(options_.max_detections);
    for (std::size_t rank = piece.first_rank; rank < piece.last_rank; ++rank) {
        cells.split(detection_groups_.rows(rank), detections_.label, options_.class_agnostic);
        truth_cells.split(object_groups_.rows(rank), objects_.label, options_.class_agnostic);
        for (const std::int32_t label : cells.present()) {
            const std::span<std::int32_t> cell = cells.cell(label);
            sort_cell(cell);
            const std::span<const std::int32_t> kept = cell.first(std::min(cell.size(), limit));
            outside.clear();
            for (const std::int32_t row : kept) {
                outside.push_back(grid_.outside(detections_.area[static_cast<std::size_t>(row)]));
            }
            const std::span<const std::int32_t> objects = truth_cells.cell(label);
            if (!objects.empty()) matcher.match(kept, outside, objects, piece.candidates, piece.words);

            std::size_t& end = entry_end_[static_cast<std::size_t>(label) * pieces_.size() + p];
            for (std::size_t d = 0; d < kept.size(); ++d) {
                const std::int64_t candidate = objects.empty() ? -1 : matcher.candidate(d);
                const auto row = static_cast<std::size_t>(kept[d]);
                entries_[end++] = {scores_[row],
                                   candidate < 0 ? kPlain | outside[d]
                                                 : std::uint64_t{p} << 32 | static_cast<std::uint64_t>(candidate),
                                   kept[d], detections_.image[row], static_cast<std::int32_t>(d)};
            }
        }
    }
}

void Matcher::sort_labels() {
    const std::size_t pieces = pieces_.size();
    table_.label_offsets = Buffer<std::int64_t>(labels_ + 1);
    std::int64_t total = 0;
    for (std::size_t l = 0; l < labels_; ++l) {
        table_.label_offsets[l] = total;
        for (std::size_t p = 0; p < pieces; ++p) {
            total += static_cast<std::int64_t>(entry_end_[l * pieces + p] - entry_begin_[l * pieces + p]);
        }
    }
    table_.label_offsets[labels_] = total;
    order_ = Buffer<std::uint32_t>(static_cast<std::size_t>(total));

    const std::size_t tasks = std::min<std::size_t>(labels_, 64);
    parallel_for(tasks, threads_, [&](std::size_t task) {
        OrderScratch scratch;
        std::vector<std::uint64_t> keys;
        std::vector<std::uint32_t> places;
        for (std::size_t l = labels_ * task / tasks; l < labels_ * (task + 1) / tasks; ++l) {
            const auto first = static_cast<std::size_t>(table_.label_offsets[l]);
            const std::size_t count = static_cast<std::size_t>(table_.label_offsets[l + 1]) - first;
            if (count == 0) continue;
            const std::size_t base = entry_begin_[l * pieces];
            keys.resize(count);
            places.resize(count);
            std::size_t at = 0;
            for (std::size_t p = 0; p < pieces; ++p) {
                const std::size_t end = entry_end_[l * pieces + p];
                for (std::size_t e = entry_begin_[l * pieces + p]; e < end; ++e, ++at) {
                    keys[at] = falling_key(entries_[e].score);
                    places[at] = static_cast<std::uint32_t>(e - base);
                }
            }
            const std::span<std::uint32_t> order{order_.data() + first, count};
            rising_order(keys, order, scratch);
            // Where the limit cut nothing off, entries stand without gaps: places are what they are.
            if (places.back() == count - 1) continue;
            for (std::uint32_t& place : order) place = places[place];
        }
    });
}

// Entries lie where their image came in their label, rows are written by falling score: every read is a jump.
// The entries to come are asked for ahead of time, since nothing else here takes as long as waiting for them.
void Matcher::gather_rows(std::size_t begin, std::size_t end) {
    const std::span<const std::int64_t> offsets = table_.label_offsets;
    const auto above = std::upper_bound(offsets.begin(), offsets.end(), static_cast<std::int64_t>(begin));
    for (auto l = static_cast<std::size_t>(above - offsets.begin()) - 1; begin < end; ++l) {
        const std::size_t stop = std::min(end, static_cast<std::size_t>(offsets[l + 1]));
        const Entry* const entries = entries_.data() + entry_begin_[l * pieces_.size()];
        for (; begin < stop; ++begin) {
            prefetch(entries + order_[std::min(begin + 12, stop - 1)]);
            write_row(begin, entries[order_[begin]]);
        }
    }
}

void Matcher::write_row(std::size_t at, const Entry& entry) {
    table_.row[at] = entry.row;
    table_.image[at] = entry.image;
    table_.score[at] = entry.score;
    table_.rank[at] = entry.rank;
    const std::size_t width = grid_.words();
    std::uint64_t* const matched = table_.matched.data() + at * width;
    std::uint64_t* const ignored = table_.ignored.data() + at * width;
    if ((entry.fate & kPlain) != 0) {
        table_.iou[at] = 0;
        table_.iou_row[at] = -1;
        table_.matched_iou[at] = 0;
        table_.matched_row[at] = -1;
        if (!plain_words_.empty()) {
            *matched = 0;
            *ignored = plain_words_[entry.fate & ~kPlain];
            return;
        }
        std::fill_n(matched, width, 0);
        std::fill_n(ignored, width, 0);
        for (std::uint64_t left = entry.fate & ~kPlain; left != 0; left &= left - 1) {
            grid_.put(ignored, static_cast<std::size_t>(std::countr_zero(left)), grid_.all_thresholds());
        }
        return;
    }
    const Piece& piece = pieces_[entry.fate >> 32];
    const auto candidate = static_cast<std::size_t>(entry.fate & 0xffffffff);
    const Candidate& found = piece.candidates[candidate];
    table_.iou[at] = found.iou;
    table_.iou_row[at] = found.iou_row;
    table_.matched_iou[at] = found.matched_iou;
    table_.matched_row[at] = found.matched_row;
    const std::uint64_t* const words = piece.words.data() + candidate * 2 * width;
    std::copy_n(words, width, matched);
    std::copy_n(words + width, width, ignored);
}

void Matcher::gather() {
    const std::size_t kept = order_.size();
    table_.row = Buffer<std::int32_t>(kept);
    table_.image = Buffer<std::int32_t>(kept);
    table_.score = Buffer<double>(kept);
    table_.rank = Buffer<std::int32_t>(kept);
    table_.iou = Buffer<double>(kept);
    table_.iou_row = Buffer<std::int32_t>(kept);
    table_.matched_iou = Buffer<double>(kept);
    table_.matched_row = Buffer<std::int32_t>(kept);
    table_.matched = Buffer<std::uint64_t>(kept * grid_.words());
    table_.ignored = Buffer<std::uint64_t>(kept * grid_.words());
    // What a detection that overlaps nothing is ignored at, by the area ranges it lies outside of.
    if (grid_.words() == 1 && grid_.area_count() <= 8) {
        plain_words_.assign(std::size_t{1} << grid_.area_count(), 0);
        for (std::size_t outside = 0; outside < plain_words_.size(); ++outside) {
            for (std::size_t a = 0; a < grid_.area_count(); ++a) {
                if ((outside >> a & 1) != 0) grid_.put(&plain_words_[outside], a, grid_.all_thresholds());
            }
        }
    }
    const std::size_t tasks = (kept + kPieceRows - 1) / kPieceRows;
    parallel_for(tasks, threads_,
                 [&](std::size_t task) { gather_rows(task * kPieceRows, std::min(kept, (task + 1) * kPieceRows)); });
}

}  // namespace

MatchTable match(const Rows& detections, std::span<const double> scores, const Rows& objects, Flags crowd, Flags ignore,
                 const Overlap& overlap, const MatchOptions& options) {
    return Matcher(detections, scores, objects, crowd, ignore, overlap, options).run();
}

}  // namespace rapideval::matching
