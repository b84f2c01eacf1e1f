#include "masks/outline.hpp"

#include <algorithm>

#include "common/parallel.hpp"

namespace rapideval::masks {

namespace {

constexpr std::uint32_t kNone = 0xffff'ffff;

// A corner of the outline. Along the grid line x of the image's columns, the outline goes from some corners up or down
// and from each of them left or right; `next` follows it with the foreground on the right.
struct Corner {
    std::uint32_t x, y;
    std::uint32_t next = kNone;
    std::uint32_t twin = kNone;  // the other corner at the same point
    std::uint32_t left = kNone;  // where the upper edge begins of the run to the left, just below the corner
    std::uint32_t ring = kNone;
    std::uint32_t place = kNone;  // in the path that is being followed
};

// Finds the corners of one mask and how they follow each other, column by column, from the runs alone.
//
// A run of a column has an upper edge, followed to the right, and a lower edge, followed to the left. While the next
// column has the same kind of edge at the same height, the edge goes on; else it ends, at a corner, in a piece of the
// vertical line between the columns, which reaches to the next such place above or below.
class CornerFinder {
  public:
    std::vector<Corner>& corners() { return corners_; }

    void find(Runs runs, Size size, Connectivity connectivity) {
        corners_.clear();
        left_.clear();
        together_ = connectivity == Connectivity::kEight;
        runs_ = runs;
        next_run_ = 0;
        start_ = end_ = 0;
        const std::uint64_t height = size.height;
        std::uint64_t column = 0;
        for (bool more = next_interval(); more || !left_.empty();) {
            if (left_.empty()) column = start_ / height;
            const std::uint64_t top = column * height, foot = top + height;
            right_.clear();
            while (more && start_ < foot) {
                right_.push_back({static_cast<std::uint32_t>(start_ - top), kNone});
                right_.push_back({static_cast<std::uint32_t>(std::min(end_, foot) - top), kNone});
                if (end_ > foot) {
                    start_ = foot;
                    break;
                }
                more = next_interval();
            }
            join_columns(static_cast<std::uint32_t>(column));
            left_.swap(right_);
            ++column;
            // Inside one run, whole columns that follow a whole column change nothing.
            if (more && start_ == column * height && left_.size() == 2 && left_[0].y == 0 && left_[1].y == height) {
                const std::uint64_t whole = (end_ - start_) / height;
                column += whole;
                start_ += whole * height;
                if (start_ == end_) more = next_interval();
            }
        }
    }

  private:
    // An edge between background and foreground of a column, at height y; even ones are upper edges.
    struct Edge {
        std::uint32_t y;
        std::uint32_t corner;  // where it began, further left
    };

    // The next stretch of foreground; empty runs join or vanish.
    bool next_interval() {
        std::uint64_t position = end_;
        bool found = false;
        for (; next_run_ < runs_.size(); ++next_run_) {
            const std::uint32_t run = runs_[next_run_];
            if (next_run_ % 2 == 1 && run != 0) {
                if (!found) start_ = position;
                found = true;
                end_ = position + run;
            } else if (found && next_run_ % 2 == 0 && run != 0) {
                break;
            }
            if (!found || next_run_ % 2 == 1) position += run;
        }
        return found;
    }

    std::uint32_t add_corner(std::uint32_t x, std::uint32_t y) {
        corners_.push_back({x, y});
        return static_cast<std::uint32_t>(corners_.size() - 1);
    }

    // An edge of the left column ends at the corner.
    void end_edge(std::size_t edge, std::uint32_t corner) {
        const std::uint32_t from = left_[edge].corner;
        if (edge % 2 == 0) {
            corners_[from].next = corner;
        } else {
            corners_[corner].next = from;
        }
    }

    // The vertical piece that began at `above` ends at the corner below it.
    void end_vertical(std::uint32_t above, std::uint32_t corner, bool foreground_right) {
        if (foreground_right) {
            corners_[corner].next = above;
        } else {
            corners_[above].next = corner;
        }
    }

    // The line x between the left and the right column.
    void join_columns(std::uint32_t x) {
        std::size_t l = 0, r = 0;
        std::uint32_t above = kNone;  // upper corner of the vertical piece that is under way
        while (l < left_.size() || r < right_.size()) {
            constexpr std::uint64_t kBelowAll = std::uint64_t{1} << 32;
            const std::uint64_t left_y = l < left_.size() ? left_[l].y : kBelowAll,
                                right_y = r < right_.size() ? right_[r].y : kBelowAll;
            const std::uint64_t y = std::min(left_y, right_y);
            const bool at_left = left_y == y, at_right = right_y == y;
            const bool right_inside = r % 2 == 1;         // above y
            if (at_left && at_right && l % 2 == r % 2) {  // the edge goes on
                right_[r++].corner = left_[l++].corner;
                continue;
            }
            const std::uint32_t corner = add_corner(x, static_cast<std::uint32_t>(y));
            if (at_left && at_right) {
                // Four pieces meet, and two foreground pixels that touch at this point only: two corners, one on
                // the left edge, one on the right.
                const std::uint32_t other = add_corner(x, static_cast<std::uint32_t>(y));
                corners_[corner].twin = other;
                corners_[other].twin = corner;
                end_edge(l, corner);
                right_[r].corner = other;
                // Held apart, the upper pixel's edge takes the vertical piece above, the lower one's that below.
                const bool left_is_upper = l % 2 == 1;
                const bool left_takes_above = left_is_upper != together_;
                end_vertical(above, left_takes_above ? corner : other, right_inside);
                above = left_takes_above ? other : corner;
            } else {
                if (at_left) {
                    end_edge(l, corner);
                } else {
                    right_[r].corner = corner;
                }
                if (above == kNone) {
                    above = corner;
                } else {
                    end_vertical(above, corner, right_inside);
                    above = kNone;
                }
            }
            l += at_left;
            r += at_right;
            if (l % 2 == 1) {
                for (std::size_t c = corner; c < corners_.size(); ++c) corners_[c].left = left_[l - 1].corner;
            }
        }
    }

    std::vector<Corner> corners_;
    std::vector<Edge> left_, right_;
    bool together_ = false;
    Runs runs_;
    std::size_t next_run_ = 0;
    std::uint64_t start_ = 0, end_ = 0;
};

// Follows the corners of one mask from each to the next, and appends the rings in their order.
class RingTracer {
  public:
    void trace(Runs runs, Size size, Connectivity connectivity, Outlines& out) {
        finder_.find(runs, size, connectivity);
        rings_.clear();
        points_.clear();
        std::vector<Corner>& corners = finder_.corners();
        for (std::uint32_t first = 0; first < corners.size(); ++first) {
            if (corners[first].ring == kNone) follow(first, connectivity == Connectivity::kFour);
        }
        put_in_order();
        for (const std::uint32_t r : order_) {
            const Ring& ring = rings_[r];
            for (std::size_t i = ring.begin; i < ring.end; ++i) {
                out.points.push_back(corners[points_[i]].x);
                out.points.push_back(corners[points_[i]].y);
            }
            out.ring_offsets.push_back(static_cast<std::int64_t>(out.points.size() / 2));
            out.ring_is_hole.push_back(ring.hole);
        }
    }

  private:
    struct Ring {
        std::size_t begin, end;  // in points_; the first point is the leftmost, then highest
        bool hole;
        std::uint32_t owner = kNone;  // the exterior, as a number in rings_
    };

    void follow(std::uint32_t first, bool split) {
        std::vector<Corner>& corners = finder_.corners();
        path_.clear();
        std::uint32_t at = first;
        do {
            const std::uint32_t twin = corners[at].twin;
            if (split && twin != kNone && corners[twin].place != kNone) {
                // Back at a point of this path: what lies between is a ring of its own.
                const std::uint32_t place = corners[twin].place;
                add_ring(place);
                path_.resize(place);
            }
            corners[at].place = static_cast<std::uint32_t>(path_.size());
            path_.push_back(at);
            at = corners[at].next;
        } while (at != first);
        add_ring(0);
    }

    // The path from a place on is a ring.
    void add_ring(std::size_t place) {
        std::vector<Corner>& corners = finder_.corners();
        const auto begin = path_.begin() + static_cast<std::ptrdiff_t>(place);
        std::rotate(begin, std::min_element(begin, path_.end()), path_.end());
        const auto number = static_cast<std::uint32_t>(rings_.size());
        for (auto corner = begin; corner != path_.end(); ++corner) {
            corners[*corner].ring = number;
            corners[*corner].place = kNone;
        }
        // From its leftmost highest point an exterior goes right, a hole down.
        const bool hole = corners[begin[1]].y != corners[*begin].y;
        rings_.push_back({points_.size(), points_.size() + static_cast<std::size_t>(path_.end() - begin), hole});
        points_.insert(points_.end(), begin, path_.end());
    }

    void put_in_order() {
        const std::vector<Corner>& corners = finder_.corners();
        const auto first_point = [&](std::uint32_t ring) { return points_[rings_[ring].begin]; };
        order_.resize(rings_.size());
        for (std::uint32_t r = 0; r < rings_.size(); ++r) order_[r] = r;
        std::sort(order_.begin(), order_.end(),
                  [&](std::uint32_t a, std::uint32_t b) { return first_point(a) < first_point(b); });
        // The run to the left of a hole belongs to its object. The upper edge of that run began further left, so its
        // ring has its owner already.
        for (const std::uint32_t r : order_) {
            rings_[r].owner = rings_[r].hole ? rings_[corners[corners[first_point(r)].left].ring].owner : r;
        }
        std::stable_sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
            return first_point(rings_[a].owner) < first_point(rings_[b].owner);
        });
    }

    CornerFinder finder_;
    std::vector<std::uint32_t> path_, points_, order_;
    std::vector<Ring> rings_;
};

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Outlines outlines(const MaskSet& set, Connectivity connectivity, std::size_t threads) {
    const std::size_t piece_size = std::clamp<std::size_t>(set.size() / (8 * threads), 1, 1024);
    std::vector<Outlines> made((set.size() + piece_size - 1) / piece_size);
    parallel_for(made.size(), threads, [&](std::size_t piece) {
        RingTracer tracer;
        for (std::size_t i = piece * piece_size; i < std::min(set.size(), (piece + 1) * piece_size); ++i) {
            tracer.trace(set.runs(i), set.size_of(i), connectivity, made[piece]);
            made[piece].row_offsets.push_back(static_cast<std::int64_t>(made[piece].ring_is_hole.size()));
        }
    });
    Outlines result;
    result.ring_offsets.push_back(0);
    result.row_offsets.push_back(0);
    for (Outlines& part : made) {
        const std::int64_t points = result.ring_offsets.back(), rings = result.row_offsets.back();
        append(result.points, part.points);
        append(result.ring_is_hole, part.ring_is_hole);
        for (const std::int64_t end : part.ring_offsets) result.ring_offsets.push_back(points + end);
        for (const std::int64_t end : part.row_offsets) result.row_offsets.push_back(rings + end);
        part = {};
    }
    return result;
}

}  // namespace rapideval::masks
