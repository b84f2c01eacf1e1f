#include "masks/iou.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace rapideval::masks {

Prepared prepare(Runs runs, Size size, std::uint32_t* bounds) {
    BoxBuilder box(size.height);
    std::uint32_t* out = bounds;
    std::uint64_t area = 0;
    std::uint32_t position = 0;
    for (std::size_t i = 1; i < runs.size(); i += 2) {
        const std::uint32_t start = position + runs[i - 1];
        position = start + runs[i];
        if (start == position) continue;
        if (out != bounds && out[-1] == start) {
            out[-1] = position;  // an empty background run lies between: one interval
        } else {
            *out++ = start;
            *out++ = position;
        }
        area += position - start;
        box.add(start, position);
    }
    return {bounds, static_cast<std::size_t>(out - bounds) / 2, area, box.box()};
}

namespace {

// The first interval from `first` on whose end lies beyond the position: galloping, since it is mostly near.
std::size_t skip_to(const Prepared& mask, std::size_t first, std::uint32_t position) {
    const auto ends_beyond = [&](std::size_t i) { return mask.bounds[2 * i + 1] > position; };
    std::size_t step = 1, low = first;
    while (low + step < mask.intervals && !ends_beyond(low + step)) {
        low += step;
        step *= 2;
    }
    std::size_t high = std::min(low + step, mask.intervals);
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (ends_beyond(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

}  // namespace

std::uint64_t intersection_area(const Prepared& a, const Prepared& b) {
    if (a.intervals == 0 || b.intervals == 0) return 0;
    std::size_t i = skip_to(a, 0, b.bounds[0]), j = skip_to(b, 0, a.bounds[0]);
    std::uint64_t shared = 0;
    while (i < a.intervals && j < b.intervals) {
        const std::uint32_t a_end = a.bounds[2 * i + 1], b_end = b.bounds[2 * j + 1];
        const std::uint32_t start = std::max(a.bounds[2 * i], b.bounds[2 * j]), end = std::min(a_end, b_end);
        shared += end > start ? end - start : 0;
        // Whichever ends first is done with; written without a branch, which would be mispredicted half the time.
        i += a_end <= b_end;
        j += b_end <= a_end;
    }
    return shared;
}

std::uint64_t intersection_area(Runs a, Runs b) {
    std::uint64_t shared = 0, a_start = 0, b_start = 0, a_end = 0, b_end = 0;
    std::size_t i = 0, j = 0;
    const auto advance = [](Runs runs, std::size_t& k, std::uint64_t& start, std::uint64_t& end) {
        if (k + 1 >= runs.size()) return false;
        start = end + runs[k];
        end = start + runs[k + 1];
        k += 2;
        return true;
    };
    bool more = advance(a, i, a_start, a_end) && advance(b, j, b_start, b_end);
    while (more) {
        const std::uint64_t start = std::max(a_start, b_start), end = std::min(a_end, b_end);
        shared += end > start ? end - start : 0;
        more = a_end <= b_end ? advance(a, i, a_start, a_end) : advance(b, j, b_start, b_end);
    }
    return shared;
}

namespace {

// All masks of a set, prepared; their bounds lie where their runs lie.
class PreparedSet {
  public:
    PreparedSet(const MaskSet& set, std::size_t threads) : bounds_(set.counts.size()), masks_(set.size()) {
        constexpr std::size_t kPiece = 256;
        parallel_for((set.size() + kPiece - 1) / kPiece, threads, [&](std::size_t piece) {
            for (std::size_t i = piece * kPiece; i < std::min(set.size(), (piece + 1) * kPiece); ++i) {
                masks_[i] = prepare(set.runs(i), set.size_of(i), bounds_.data() + set.offsets[i]);
            }
        });
    }
    const Prepared& operator[](std::size_t i) const { return masks_[i]; }

  private:
    std::vector<std::uint32_t> bounds_;
    std::vector<Prepared> masks_;
};

void check_crowd(const MaskSet& b, Flags b_crowd) {
    if (b_crowd.size() != b.size()) {
        throw Error("mask-crowd", std::to_string(b_crowd.size()) + " crowd flags",
                    std::to_string(b.size()) + ", one for each mask");
    }
}

void check_same_size(Size a, Size b, std::size_t row) {
    if (a != b)
        throw Error("mask-size", "a mask of " + to_string(a), to_string(b) + " as the mask it is compared with")
            .at_row(static_cast<std::int64_t>(row));
}

}  // namespace

std::vector<double> iou_matrix(const MaskSet& a, const MaskSet& b, Flags b_crowd, std::size_t threads) {
    check_crowd(b, b_crowd);
    if (a.size() == 0 || b.size() == 0) return {};
    for (std::size_t i = 0; i < a.size(); ++i) check_same_size(a.size_of(i), b.size_of(0), i);
    for (std::size_t j = 1; j < b.size(); ++j) check_same_size(b.size_of(j), b.size_of(0), j);
    const PreparedSet left(a, threads), right(b, threads);
    std::vector<double> result(a.size() * b.size());
    const std::size_t rows = std::max<std::size_t>(1, 1024 / b.size());  // of one piece
    parallel_for((a.size() + rows - 1) / rows, threads, [&](std::size_t piece) {
        for (std::size_t i = piece * rows; i < std::min(a.size(), (piece + 1) * rows); ++i) {
            for (std::size_t j = 0; j < b.size(); ++j)
                result[i * b.size() + j] = iou(left[i], right[j], b_crowd[j] != 0);
        }
    });
    return result;
}

std::vector<double> iou_pairs(const MaskSet& a, const MaskSet& b, Flags b_crowd, std::span<const std::int64_t> pairs,
                              std::size_t threads) {
    check_crowd(b, b_crowd);
    const std::size_t count = pairs.size() / 2;
    const auto row = [&](std::size_t p, std::size_t side) { return static_cast<std::size_t>(pairs[2 * p + side]); };
    for (std::size_t p = 0; p < count; ++p) {
        for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
            const std::size_t rows = side == 0 ? a.size() : b.size();
            if (pairs[2 * p + side] < 0 || row(p, side) >= rows) {
                throw Error("mask-pair", "row " + std::to_string(pairs[2 * p + side]),
                            "a row below " + std::to_string(rows))
                    .at_row(static_cast<std::int64_t>(p));
            }
        }
        check_same_size(a.size_of(row(p, 0)), b.size_of(row(p, 1)), p);
    }
    const PreparedSet left(a, threads), right(b, threads);
    std::vector<double> result(count);
    constexpr std::size_t kPiece = 256;
    parallel_for((count + kPiece - 1) / kPiece, threads, [&](std::size_t piece) {
        for (std::size_t p = piece * kPiece; p < std::min(count, (piece + 1) * kPiece); ++p) {
            result[p] = iou(left[row(p, 0)], right[row(p, 1)], b_crowd[row(p, 1)] != 0);
        }
    });
    return result;
}

}  // namespace rapideval::masks
