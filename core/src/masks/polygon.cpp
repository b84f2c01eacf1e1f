#include "masks/polygon.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "masks/paint.hpp"
#include "masks/ragged.hpp"

namespace rapideval::masks {

namespace {

constexpr int kScale = 5;   // steps to a pixel
constexpr int kMiddle = 2;  // a column's middle lies between its steps 2 and 3

int step_of(double coordinate) { return static_cast<int>(kScale * coordinate + .5); }

// One edge in steps, laid along its longer axis ("major"), on which it ascends; and the columns it passes.
struct Edge {
    int major, minor, length;  // where it begins; steps along the major axis
    double slope;
    bool steep;  // the major axis is y
    std::uint32_t column_begin, column_end;

    // The minor coordinate after t steps, truncated exactly as the reference does.
    int at(int t) const { return static_cast<int>(minor + slope * t + .5); }
};

// Row of the first pixel below a crossing at this step: pixel y begins to count at its step 2.
std::uint32_t row_of(int step, std::uint32_t height) {
    if (step <= kMiddle) return 0;
    return std::min((static_cast<std::uint32_t>(step) + kMiddle) / kScale, height);
}

// Columns c, 0 <= c < width, with low <= 5 c + 2 and 5 c + 3 <= high.
std::pair<std::uint32_t, std::uint32_t> columns_between(int low, int high, std::uint32_t width) {
    if (high <= kMiddle) return {0, 0};
    const std::uint32_t begin = low <= kMiddle ? 0 : (static_cast<std::uint32_t>(low) + kScale - 1 - kMiddle) / kScale;
    const std::uint32_t end = std::min((static_cast<std::uint32_t>(high) - kMiddle - 1) / kScale + 1, width);
    return begin < end ? std::pair{begin, end} : std::pair{0u, 0u};
}

Edge make_edge(int x0, int y0, int x1, int y1, std::uint32_t width) {
    const auto [begin, end] = columns_between(std::min(x0, x1), std::max(x0, x1), width);
    Edge edge{0, 0, 0, 0, false, begin, end};
    if (begin == end) return edge;
    const int dx = std::abs(x1 - x0), dy = std::abs(y1 - y0);
    edge.steep = dx < dy;
    if (edge.steep ? y0 > y1 : x0 > x1) {
        std::swap(x0, x1);
        std::swap(y0, y1);
    }
    edge.major = edge.steep ? y0 : x0;
    edge.minor = edge.steep ? x0 : y0;
    edge.length = edge.steep ? dy : dx;
    edge.slope = static_cast<double>(edge.steep ? x1 - x0 : y1 - y0) / edge.length;
    return edge;
}

// The first step t, 1 <= t <= length, at which a steep edge has passed the middle of the column.
int first_step_past(const Edge& edge, int middle) {
    const bool right = edge.slope > 0;
    const auto past = [&](int t) { return right ? edge.at(t) > middle : edge.at(t) <= middle; };
    // Solved as real numbers, then corrected to what truncation makes of it. A step is enough but for edges so long
    // and steep that rounding moves the place further.
    const double guess = (middle + .5 - edge.minor) / edge.slope;
    int t = std::clamp(static_cast<int>(guess), 1, edge.length);
    if (past(t)) {
        if (t == 1 || !past(t - 1)) return t;
    } else if (t < edge.length && past(t + 1)) {
        return t + 1;
    }
    int low = 0, high = edge.length;
    while (high - low > 1) {
        const int half = low + (high - low) / 2;
        (past(half) ? high : low) = half;
    }
    return high;
}

// Calls found(column, row) for every column the edge passes.
template <typename Found>
void cross(const Edge& edge, std::uint32_t height, Found&& found) {
    for (std::uint32_t c = edge.column_begin; c < edge.column_end; ++c) {
        const int middle = static_cast<int>(c) * kScale + kMiddle;
        // Of the two steps beside the middle, the upper one (less y) counts.
        int step;
        if (edge.steep) {
            step = edge.major + first_step_past(edge, middle) - 1;
        } else {
            const int t = middle - edge.major;
            step = edge.at(edge.slope >= 0 ? t : t + 1);
        }
        found(c, row_of(step, height));
    }
}

// Finds the positions at which the mask of one ring changes. Keeps its buffers from ring to ring.
class RingScanner {
  public:
    // Points in steps, at least one; returns positions that rise strictly, valid until the next call.
    std::span<const std::uint32_t> scan(std::span<const std::pair<int, int>> steps, Size size,
                                        std::uint64_t& crossings) {
        changes_.clear();
        edges_.clear();
        std::uint32_t low = size.width, high = 0;
        std::uint64_t count = 0;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const auto& [x0, y0] = steps[i];
            const auto& [x1, y1] = steps[i + 1 == steps.size() ? 0 : i + 1];
            const Edge edge = make_edge(x0, y0, x1, y1, size.width);
            if (edge.column_begin == edge.column_end) continue;
            edges_.push_back(edge);
            low = std::min(low, edge.column_begin);
            high = std::max(high, edge.column_end);
            count += edge.column_end - edge.column_begin;
        }
        crossings += count;
        if (count == 0 || crossings > kMaxCrossings) return {};

        // Counting sort by column, whose numbers of crossings are known before any is computed.
        slot_.assign(high - low + 1, 0);
        for (const Edge& edge : edges_) {
            ++slot_[edge.column_begin - low];
            --slot_[edge.column_end - low];
        }
        std::uint32_t passing = 0, first = 0;
        for (std::uint32_t& slot : slot_) {
            passing += slot;
            slot = first;
            first += passing;
        }
        rows_.resize(std::max<std::size_t>(rows_.size(), count));
        for (const Edge& edge : edges_) {
            cross(edge, size.height,
                  [&](std::uint32_t column, std::uint32_t row) { rows_[slot_[column - low]++] = row; });
        }
        collect(low, size.height);
        if (!changes_.empty() && changes_.back() == size.pixels()) changes_.pop_back();
        return changes_;
    }

  private:
    // Sorts the rows of each column; equal positions cancel each other in pairs. slot_ now ends each column.
    void collect(std::uint32_t low, std::uint32_t height) {
        std::uint32_t begin = 0, position = low * height;
        for (std::size_t c = 0; c + 1 < slot_.size(); ++c, position += height) {
            const std::uint32_t end = slot_[c];
            if (end - begin == 2) {
                if (rows_[begin] > rows_[begin + 1]) std::swap(rows_[begin], rows_[begin + 1]);
            } else {
                std::sort(rows_.begin() + begin, rows_.begin() + end);
            }
            for (; begin < end; ++begin) {
                if (!changes_.empty() && changes_.back() == position + rows_[begin]) {
                    changes_.pop_back();
                } else {
                    changes_.push_back(position + rows_[begin]);
                }
            }
        }
    }

    std::vector<Edge> edges_;
    std::vector<std::uint32_t> slot_, rows_, changes_;
};

// Turns the rings of a row into one mask.
class RowRasteriser {
  public:
    explicit RowRasteriser(const PolygonRows& rows) : rows_(rows) {}

    void operator()(std::size_t row, std::vector<std::uint32_t>& runs) {
        const Size size{rows_.sizes[2 * row], rows_.sizes[2 * row + 1]};
        check_size(size, row);
        const auto first = static_cast<std::size_t>(rows_.row_offsets[row]),
                   end = static_cast<std::size_t>(rows_.row_offsets[row + 1]);
        std::uint64_t crossings = 0;
        if (end - first == 1 && rows_.ring_is_hole[first] == 0) {
            const auto changes = scan(row, first, size, crossings);
            append_runs(changes, size, runs);
            return;
        }
        painter_.begin(size.pixels());
        for (std::size_t ring = first; ring < end; ++ring) {
            const auto changes = scan(row, ring, size, crossings);
            painter_.add_changes(changes, rows_.ring_is_hole[ring] ? Painter::Layer::kClears : Painter::Layer::kSets);
        }
        append_runs(painter_.finish(), size, runs);
    }

  private:
    std::span<const std::uint32_t> scan(std::size_t row, std::size_t ring, Size size, std::uint64_t& crossings) {
        const auto begin = static_cast<std::size_t>(rows_.ring_offsets[ring]),
                   end = static_cast<std::size_t>(rows_.ring_offsets[ring + 1]);
        if (end - begin < 3)
            refuse(row, "polygon-points", "a ring of " + std::to_string(end - begin) + " points", "at least 3");
        steps_.clear();
        for (std::size_t i = begin; i < end; ++i) {
            const double x = rows_.points[2 * i], y = rows_.points[2 * i + 1];
            if (!(std::abs(x) <= kMaxCoordinate && std::abs(y) <= kMaxCoordinate)) {
                char point[64];
                std::snprintf(point, sizeof point, "the point %.12g, %.12g", x, y);
                if (!std::isfinite(x) || !std::isfinite(y)) refuse(row, "polygon-finite", point, "finite coordinates");
                refuse(row, "polygon-range", point, "coordinates within 200 million pixels");
            }
            steps_.emplace_back(step_of(x), step_of(y));
        }
        if (size.pixels() == 0) return {};
        const auto changes = scanner_.scan(steps_, size, crossings);
        if (crossings > kMaxCrossings) {
            refuse(row, "polygon-length", "edges that pass " + std::to_string(crossings) + " columns",
                   "at most " + std::to_string(kMaxCrossings));
        }
        return changes;
    }

    [[noreturn]] static void refuse(std::size_t row, const char* rule, std::string found, std::string expected) {
        throw Error(rule, std::move(found), std::move(expected)).at_row(static_cast<std::int64_t>(row));
    }

    PolygonRows rows_;
    RingScanner scanner_;
    Painter painter_;
    std::vector<std::pair<int, int>> steps_;
};

}  // namespace

RaggedRuns from_polygons(const PolygonRows& rows, std::size_t threads) {
    check_offsets(rows.ring_offsets, rows.points.size() / 2, "polygon-offsets", "ring offsets");
    check_offsets(rows.row_offsets, rows.ring_offsets.size() - 1, "polygon-offsets", "row offsets");
    const auto expect = [](std::size_t found, std::size_t expected, const char* what, const char* each) {
        if (found != expected) {
            throw Error("polygon-offsets", std::to_string(found) + " " + what,
                        std::to_string(expected) + ", one for each " + each);
        }
    };
    expect(rows.ring_is_hole.size(), rows.ring_offsets.size() - 1, "hole flags", "ring");
    expect(rows.sizes.size() / 2, rows.row_offsets.size() - 1, "sizes", "row");
    return make_masks(rows.row_offsets.size() - 1, threads, RowRasteriser(rows));
}

}  // namespace rapideval::masks
