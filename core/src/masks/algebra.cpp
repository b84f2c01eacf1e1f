#include "masks/algebra.hpp"

#include <algorithm>
#include <string>

#include "common/error.hpp"
#include "masks/paint.hpp"
#include "masks/ragged.hpp"

namespace rapideval::masks {

RaggedRuns combine(const MaskSet& set, std::span<const std::int64_t> groups, Operation operation, std::size_t threads) {
    check_offsets(groups, set.size(), "rle-groups", "groups");
    for (std::size_t g = 0; g + 1 < groups.size(); ++g) {
        const auto first = static_cast<std::size_t>(groups[g]), end = static_cast<std::size_t>(groups[g + 1]);
        if (first == end)
            throw Error("rle-groups", "a group without masks", "at least one mask")
                .at_row(static_cast<std::int64_t>(g));
        for (std::size_t i = first + 1; i < end; ++i) {
            if (set.size_of(i) != set.size_of(first)) {
                throw Error("mask-size", to_string(set.size_of(i)),
                            to_string(set.size_of(first)) + " as the first mask of its group")
                    .at_row(static_cast<std::int64_t>(i));
            }
        }
    }
    return make_masks(
        groups.size() - 1, threads, [&, painter = Painter()](std::size_t g, std::vector<std::uint32_t>& runs) mutable {
            const auto first = static_cast<std::size_t>(groups[g]), end = static_cast<std::size_t>(groups[g + 1]);
            const Size size = set.size_of(first);
            painter.begin(size.pixels());
            painter.add_foreground(set.runs(first), Painter::Layer::kSets);
            for (std::size_t i = first + 1; i < end; ++i) {
                switch (operation) {
                    case Operation::kUnion:
                        painter.add_foreground(set.runs(i), Painter::Layer::kSets);
                        break;
                    case Operation::kIntersection:
                        painter.add_background(set.runs(i), Painter::Layer::kClears);
                        break;
                    case Operation::kDifference:
                        painter.add_foreground(set.runs(i), Painter::Layer::kClears);
                        break;
                }
            }
            append_runs(painter.finish(), size, runs);
        });
}

namespace {

// Columns x0 to x1 and rows y0 to y1 of the image, ends excluded, land at column `left` and row `top` of the window.
struct Cut {
    std::uint64_t x0, x1, y0, y1, left, top;
};

// The part of [start, start + length) inside [0, end).
std::pair<std::uint64_t, std::uint64_t> clip(std::int64_t start, std::int64_t length, std::uint32_t end) {
    constexpr std::int64_t kFar = std::int64_t{1} << 33;  // beyond any image, and safe to add
    start = std::clamp(start, -kFar, kFar);
    const auto low = std::clamp<std::int64_t>(start, 0, end), high = std::clamp<std::int64_t>(start + length, 0, end);
    return {static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(std::max(low, high))};
}

class Cropper {
  public:
    void crop(Runs runs, Size from, const Cut& cut, Size to, std::vector<std::uint32_t>& out) {
        changes_.clear();
        if (cut.x0 < cut.x1 && cut.y0 < cut.y1) {
            const std::uint64_t height = from.height, begin = cut.x0 * height, end = cut.x1 * height;
            std::uint64_t position = 0;
            for (std::size_t i = 1; i < runs.size() && position < end; i += 2) {
                const std::uint64_t start = std::max(position + runs[i - 1], begin);
                position += std::uint64_t{runs[i - 1]} + runs[i];
                if (start < std::min(position, end)) add(start, std::min(position, end), height, cut, to.height);
            }
        }
        if (!changes_.empty() && changes_.back() == to.pixels()) changes_.pop_back();
        append_runs(changes_, to, out);
    }

  private:
    // Foreground from start to end, inside the columns of the cut.
    void add(std::uint64_t start, std::uint64_t end, std::uint64_t height, const Cut& cut, std::uint64_t to_height) {
        const bool joins = cut.y1 - cut.y0 == to_height;  // full columns touch each other in the window too
        for (std::uint64_t x = start / height; start < end;) {
            const std::uint64_t full = joins && start % height == 0 ? (end - start) / height : 0;
            const std::uint64_t foot = (x + std::max<std::uint64_t>(full, 1)) * height, stop = std::min(foot, end);
            const std::uint64_t column = (x - cut.x0 + cut.left) * to_height;
            if (full > 0) {
                append(column, column + full * to_height);
            } else {
                const std::uint64_t y0 = std::max(start - x * height, cut.y0), y1 = std::min(stop - x * height, cut.y1);
                if (y0 < y1) append(column + cut.top + y0 - cut.y0, column + cut.top + y1 - cut.y0);
            }
            x += std::max<std::uint64_t>(full, 1);
            start = stop;
        }
    }

    void append(std::uint64_t start, std::uint64_t end) {
        if (!changes_.empty() && changes_.back() == start) {
            changes_.back() = static_cast<std::uint32_t>(end);
        } else {
            changes_.push_back(static_cast<std::uint32_t>(start));
            changes_.push_back(static_cast<std::uint32_t>(end));
        }
    }

    std::vector<std::uint32_t> changes_;
};

}  // namespace

RaggedRuns crop(const MaskSet& set, std::span<const std::int64_t> windows, std::size_t threads) {
    if (windows.size() != 4 * set.size()) {
        throw Error("crop-window", std::to_string(windows.size() / 4) + " windows",
                    std::to_string(set.size()) + ", one for each mask");
    }
    for (std::size_t i = 0; i < set.size(); ++i) {
        const std::int64_t width = windows[4 * i + 2], height = windows[4 * i + 3];
        if (width < 0 || height < 0 || width > std::int64_t{kMaxPixels} || height > std::int64_t{kMaxPixels}) {
            throw Error("crop-window",
                        "a window of width " + std::to_string(width) + " and height " + std::to_string(height),
                        "0 to " + std::to_string(kMaxPixels))
                .at_row(static_cast<std::int64_t>(i));
        }
        check_size({static_cast<std::uint32_t>(height), static_cast<std::uint32_t>(width)}, i);
    }
    return make_masks(set.size(), threads,
                      [&, cropper = Cropper()](std::size_t i, std::vector<std::uint32_t>& runs) mutable {
                          const std::int64_t x = windows[4 * i], y = windows[4 * i + 1], width = windows[4 * i + 2],
                                             height = windows[4 * i + 3];
                          const auto [x0, x1] = clip(x, width, set.size_of(i).width);
                          const auto [y0, y1] = clip(y, height, set.size_of(i).height);
                          const Cut cut{x0,
                                        x1,
                                        y0,
                                        y1,
                                        x < 0 ? 0 - static_cast<std::uint64_t>(x) : 0,
                                        y < 0 ? 0 - static_cast<std::uint64_t>(y) : 0};
                          cropper.crop(set.runs(i), set.size_of(i), cut,
                                       {static_cast<std::uint32_t>(height), static_cast<std::uint32_t>(width)}, runs);
                      });
}

}  // namespace rapideval::masks
