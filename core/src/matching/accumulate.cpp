#include "matching/accumulate.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace rapideval::matching {

namespace {

constexpr double kEpsilon = 2.220446049250313e-16;  // numpy.spacing(1), which the reference adds to the divisor
constexpr std::size_t kLabelBlock = 8;              // labels to a piece: a cache line of the results

// A true positive of one label at one (area range, limit, threshold): how many detections count up to and
// with it, and where it stands among the label's rows.
struct TruePositive {
    std::uint32_t counted;
    std::uint32_t row;
};

// Detections that match nothing are only counted: by which area ranges ignore them (few patterns) and by how
// many limits cut them off. What a true positive needs to know of them is summed from these few counters.
class FalsePositives {
  public:
    FalsePositives(const TableView& table, std::size_t limits) : table_(table), limits_(limits) {}

    void clear() {
        patterns_.clear();
        counts_.clear();
        last_ = 0;
    }

    // cut: how many of the (rising) limits leave the detection out.
    void add(const std::uint64_t* ignored, std::size_t cut) {
        if (cut == limits_) return;
        if (patterns_.empty() || !same(last_, ignored)) find(ignored);
        ++counts_[last_ * limits_ + cut];
    }

    // How many count in area range a under limit m.
    std::uint32_t count(std::size_t a, std::size_t m) const {
        std::uint32_t total = 0;
        for (std::size_t p = 0; p * table_.words() < patterns_.size(); ++p) {
            if (table_.bits(patterns_.data() + p * table_.words(), a) != 0) continue;
            for (std::size_t cut = 0; cut <= m; ++cut) total += counts_[p * limits_ + cut];
        }
        return total;
    }

  private:
    bool same(std::size_t p, const std::uint64_t* ignored) const {
        return std::equal(ignored, ignored + table_.words(), patterns_.data() + p * table_.words());
    }

    void find(const std::uint64_t* ignored) {
        const std::size_t known = patterns_.size() / table_.words();
        for (last_ = 0; last_ < known; ++last_) {
            if (same(last_, ignored)) return;
        }
        patterns_.insert(patterns_.end(), ignored, ignored + table_.words());
        counts_.resize((known + 1) * limits_, 0);
    }

    const TableView& table_;
    const std::size_t limits_;
    std::vector<std::uint64_t> patterns_;
    std::vector<std::uint32_t> counts_;
    std::size_t last_ = 0;
};

class Accumulator {
  public:
    Accumulator(const TableView& table, std::span<const std::int64_t> positives,
                std::span<const double> recall_thresholds, std::span<const std::int64_t> limits, Curves& curves)
        : table_(table),
          positives_(positives),
          recall_thresholds_(recall_thresholds),
          limits_(limits),
          curves_(curves),
          false_positives_(table, limits.size()),
          events_(table.areas * limits.size() * table.thresholds),
          extra_(events_.size()),
          needed_(recall_thresholds.size()) {}

    void label(std::size_t k) {
        walk(k);
        for (std::size_t a = 0; a < table_.areas; ++a) {
            const std::int64_t positives = positives_[k * table_.areas + a];
            if (positives <= 0) {
                write_undefined(k, a);
                continue;
            }
            find_needed(static_cast<double>(positives));
            for (std::size_t m = 0; m < limits_.size(); ++m) {
                for (std::size_t t = 0; t < table_.thresholds; ++t) {
                    write(k, a, m, t, static_cast<double>(positives));
                }
            }
        }
    }

  private:
    // How many of the limits leave a detection of this rank out.
    std::size_t cut(std::int32_t rank) const {
        std::size_t m = 0;
        while (m < limits_.size() && rank >= limits_[m]) ++m;
        return m;
    }

    std::size_t cell(std::size_t a, std::size_t m) const { return (a * limits_.size() + m) * table_.thresholds; }

    void walk(std::size_t k) {
        for (auto& list : events_) list.clear();
        std::fill(extra_.begin(), extra_.end(), 0);
        false_positives_.clear();
        first_ = static_cast<std::size_t>(table_.label_offsets[k]);
        const auto end = static_cast<std::size_t>(table_.label_offsets[k + 1]);
        const std::size_t words = table_.words();
        for (std::size_t row = first_; row < end; ++row) {
            const std::uint64_t* const matched = table_.matched.data() + row * words;
            const std::uint64_t* const ignored = table_.ignored.data() + row * words;
            std::uint64_t any = 0;
            for (std::size_t w = 0; w < words; ++w) any |= matched[w];
            if (any == 0) {
                false_positives_.add(ignored, cut(table_.rank[row]));
            } else {
                add_matched(k, row, matched, ignored);
            }
        }
    }

    void add_matched(std::size_t k, std::size_t row, const std::uint64_t* matched, const std::uint64_t* ignored) {
        const std::size_t first_limit = cut(table_.rank[row]);
        for (std::size_t a = 0; a < table_.areas; ++a) {
            if (positives_[k * table_.areas + a] <= 0) continue;
            const std::uint64_t counts = ~table_.bits(ignored, a) & table_.all_thresholds();
            const std::uint64_t hits = table_.bits(matched, a) & counts;
            const std::uint64_t misses = counts & ~hits;
            for (std::size_t m = first_limit; m < limits_.size(); ++m) {
                const std::size_t at = cell(a, m);
                for (std::uint64_t left = misses; left != 0; left &= left - 1) {
                    ++extra_[at + static_cast<std::size_t>(std::countr_zero(left))];
                }
                if (hits == 0) continue;
                const std::uint32_t unmatched = false_positives_.count(a, m);
                for (std::uint64_t left = hits; left != 0; left &= left - 1) {
                    const std::size_t slot = at + static_cast<std::size_t>(std::countr_zero(left));
                    const auto hit = static_cast<std::uint32_t>(events_[slot].size() + 1);
                    events_[slot].push_back({unmatched + extra_[slot] + hit, static_cast<std::uint32_t>(row - first_)});
                }
            }
        }
    }

    // needed_[r]: the least count of true positives whose recall reaches recall threshold r; 0 where none is
    // needed. Recall is the rounded quotient, as the reference compares it.
    void find_needed(double positives) {
        for (std::size_t r = 0; r < recall_thresholds_.size(); ++r) {
            const double threshold = recall_thresholds_[r];
            double count = std::clamp(std::ceil(threshold * positives), 0.0, positives + 1);
            while (count > 0 && (count - 1) / positives >= threshold) --count;
            while (count <= positives && count / positives < threshold) ++count;
            needed_[r] = static_cast<std::size_t>(count);
        }
    }

    void write_undefined(std::size_t k, std::size_t a) {
        const std::size_t labels = table_.labels();
        const std::size_t recalls = recall_thresholds_.size();
        for (std::size_t index = cell(a, 0); index < cell(a + 1, 0); ++index) {
            curves_.recall[index * labels + k] = -1;
            for (std::size_t place = index * recalls; place < (index + 1) * recalls; ++place) {
                curves_.precision[place * labels + k] = -1;
                curves_.scores[place * labels + k] = -1;
            }
        }
    }

    void write(std::size_t k, std::size_t a, std::size_t m, std::size_t t, double positives) {
        const std::vector<TruePositive>& events = events_[cell(a, m) + t];
        const std::size_t labels = table_.labels();
        const std::size_t index = cell(a, m) + t;  // (A, M, T) as one
        curves_.recall[index * labels + k] = static_cast<double>(events.size()) / positives;

        // The envelope: the best precision from here on. Between true positives precision only falls, so they
        // suffice.
        precision_.resize(events.size());
        for (std::size_t i = 0; i < events.size(); ++i) {
            precision_[i] = static_cast<double>(i + 1) / (static_cast<double>(events[i].counted) + kEpsilon);
        }
        const double* const score = table_.score.data() + first_;
        const bool any = table_.label_offsets[k + 1] > table_.label_offsets[k];
        std::size_t at = events.size();
        double best = 0;
        for (std::size_t r = recall_thresholds_.size(); r-- > 0;) {
            const std::size_t needed = needed_[r];
            double precision = 0, reached = 0;
            if (needed <= events.size()) {
                const std::size_t stop = needed == 0 ? 0 : needed - 1;
                for (; at > stop; --at) best = std::max(best, precision_[at - 1]);
                precision = best;
                if (needed > 0) {
                    reached = score[events[stop].row];
                } else if (any) {
                    reached = score[0];
                }
            }
            const std::size_t place = (index * recall_thresholds_.size() + r) * labels + k;
            curves_.precision[place] = precision;
            curves_.scores[place] = reached;
        }
    }

    const TableView& table_;
    const std::span<const std::int64_t> positives_;
    const std::span<const double> recall_thresholds_;
    const std::span<const std::int64_t> limits_;
    Curves& curves_;

    std::size_t first_ = 0;  // first row of the label
    FalsePositives false_positives_;
    std::vector<std::vector<TruePositive>> events_;  // (A, M, T)
    std::vector<std::uint32_t> extra_;  // (A, M, T) false positives that match at other thresholds or areas
    std::vector<std::size_t> needed_;
    std::vector<double> precision_;
};

std::size_t product(std::initializer_list<std::size_t> factors) {
    constexpr std::size_t kMost = std::size_t{1} << 40;
    std::size_t total = 1;
    for (const std::size_t factor : factors) {
        if (factor != 0 && total > kMost / factor) {
            throw Error("protocol-size", "a result of more than 2^40 numbers", "fewer thresholds, ranges or limits");
        }
        total *= factor;
    }
    return total;
}

}  // namespace

void check_table(const TableView& table) {
    if (table.thresholds < 1 || table.thresholds > 64 || table.areas < 1 || table.areas > 62) {
        throw Error("protocol-size",
                    std::to_string(table.thresholds) + " thresholds, " + std::to_string(table.areas) + " area ranges",
                    "1 to 64 and 1 to 62");
    }
    const std::size_t rows = table.score.size();
    const std::size_t words = rows * table.words();
    if (table.rank.size() != rows || table.matched.size() != words || table.ignored.size() != words) {
        throw Error("column-length", "columns of different length", std::to_string(rows) + " rows").at_path("matches");
    }
    if (rows > std::numeric_limits<std::uint32_t>::max()) {
        throw Error("too-many-rows", std::to_string(rows) + " rows", "fewer than 2^32").at_path("matches");
    }
    const auto& offsets = table.label_offsets;
    if (offsets.empty() || offsets.front() != 0 || offsets.back() != static_cast<std::int64_t>(rows) ||
        !std::is_sorted(offsets.begin(), offsets.end())) {
        throw Error("column-offsets", "offsets that do not fit", "offsets rising from 0 to " + std::to_string(rows))
            .at_path("matches.label_offsets");
    }
}

Curves accumulate(const TableView& table, std::span<const std::int64_t> positives,
                  std::span<const double> recall_thresholds, std::span<const std::int64_t> limits, int threads) {
    check_table(table);
    const std::size_t labels = table.labels();
    if (positives.size() != labels * table.areas) {
        throw Error("column-length", std::to_string(positives.size()) + " values", "one for each label and area range")
            .at_path("positives");
    }
    if (!std::is_sorted(recall_thresholds.begin(), recall_thresholds.end()) ||
        std::any_of(recall_thresholds.begin(), recall_thresholds.end(), [](double r) { return !std::isfinite(r); })) {
        throw Error("protocol-recall", "recall thresholds out of order", "finite numbers that rise");
    }
    if (limits.empty() || limits.front() < 1 || !std::is_sorted(limits.begin(), limits.end())) {
        throw Error("protocol-limit", "limits out of order", "numbers from 1 on that rise");
    }
    const std::size_t cells = product({table.areas, limits.size(), table.thresholds, labels});
    Curves curves;
    curves.recall = Buffer<double>(cells);
    curves.precision = Buffer<double>(product({cells, recall_thresholds.size()}));
    curves.scores = Buffer<double>(curves.precision.size());

    const std::size_t blocks = (labels + kLabelBlock - 1) / kLabelBlock;
    parallel_for(blocks, thread_count(threads), [&](std::size_t block) {
        Accumulator accumulator(table, positives, recall_thresholds, limits, curves);
        const std::size_t end = std::min(labels, (block + 1) * kLabelBlock);
        for (std::size_t k = block * kLabelBlock; k < end; ++k) accumulator.label(k);
    });
    return curves;
}

}  // namespace rapideval::matching
