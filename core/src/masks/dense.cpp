#include "masks/dense.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "masks/changes.hpp"
#include "masks/measure.hpp"
#include "masks/ragged.hpp"

namespace rapideval::masks {

namespace {

// One mask; strides in bytes.
struct Plane {
    const std::uint8_t* pixels;
    Size size;
    std::ptrdiff_t down, right;

    const std::uint8_t* at(std::size_t y, std::size_t x) const {
        return pixels + static_cast<std::ptrdiff_t>(y) * down + static_cast<std::ptrdiff_t>(x) * right;
    }
};

// Finds the positions, in column-major order, at which a mask changes. Keeps its buffers from mask to mask.
class ChangeFinder {
  public:
    explicit ChangeFinder(FindChanges search_row) : search_row_(search_row) {}

    // The positions, rising; valid until the next call. Sets what all pixels were, or-ed together.
    std::span<const std::uint32_t> find(const Plane& plane, std::uint8_t& seen) {
        count_ = 0;
        seen_ = 0;
        if (plane.size.pixels() == 0) {
            return {};
        }
        if (plane.down == 1 || plane.size.height == 1) {
            by_columns(plane);
        } else if (plane.right == 1 || plane.size.width == 1) {
            by_rows(plane);
        } else {
            by_rows(packed(plane));
        }
        seen = seen_;
        return {found_.data(), count_};
    }

  private:
    void search(const std::uint8_t* above, const std::uint8_t* row, std::size_t n, std::uint32_t first) {
        if (found_.size() < count_ + n + kChangesSlack)
            found_.resize(std::max(2 * found_.size(), count_ + n + kChangesSlack));
        Changes changes{found_.data() + count_};
        search_row_(above, row, n, first, changes);
        count_ = static_cast<std::size_t>(changes.end - found_.data());
        seen_ |= changes.seen;
    }

    // Each pixel against the one before it in memory.
    void by_columns(const Plane& plane) {
        constexpr std::size_t kStretch = 1 << 16;  // bounds the room that search asks for
        static constexpr std::uint8_t kBackground = 0;
        const auto height = std::size_t{plane.size.height}, width = std::size_t{plane.size.width};
        const bool whole = plane.right == static_cast<std::ptrdiff_t>(height) || width == 1;
        const std::size_t columns = whole ? 1 : width, length = whole ? height * width : height;
        const std::uint8_t* before = &kBackground;
        std::uint32_t position = 0;
        for (std::size_t x = 0; x < columns; ++x) {
            const std::uint8_t* column = plane.at(0, x);
            search(before, column, 1, position);
            for (std::size_t i = 1; i < length; i += kStretch) {
                search(column + i - 1, column + i, std::min(kStretch, length - i),
                       position + static_cast<std::uint32_t>(i));
            }
            before = column + length - 1;
            position += static_cast<std::uint32_t>(length);
        }
    }

    // Each row against the row above it, the first against the foot of the columns to its left. That gives the
    // columns that change, row by row; counting sort by column makes them positions in column-major order.
    void by_rows(const Plane& plane) {
        static constexpr std::uint8_t kBackground = 0;
        const auto height = std::size_t{plane.size.height}, width = std::size_t{plane.size.width};
        row_end_.resize(height);
        search(&kBackground, plane.at(0, 0), 1, 0);
        search(plane.at(height - 1, 0), plane.at(0, 0) + 1, width - 1, 1);
        row_end_[0] = count_;
        for (std::size_t y = 1; y < height; ++y) {
            search(plane.at(y - 1, 0), plane.at(y, 0), width, 0);
            row_end_[y] = count_;
        }
        column_.assign(width + 1, 0);
        for (std::size_t i = 0; i < count_; ++i) ++column_[found_[i] + 1];
        for (std::size_t x = 0; x < width; ++x) column_[x + 1] += column_[x];
        sorted_.resize(std::max(sorted_.size(), count_));
        std::size_t i = 0;
        for (std::size_t y = 0; y < height; ++y) {
            for (; i < row_end_[y]; ++i) {
                const std::uint32_t x = found_[i];
                sorted_[column_[x]++] = x * plane.size.height + static_cast<std::uint32_t>(y);
            }
        }
        found_.swap(sorted_);
    }

    // A copy without gaps, read along the shorter stride.
    Plane packed(const Plane& plane) {
        const auto height = std::size_t{plane.size.height}, width = std::size_t{plane.size.width};
        packed_.resize(plane.size.pixels());
        const auto copy = [&](std::size_t y, std::size_t x) { packed_[y * width + x] = *plane.at(y, x); };
        if (std::abs(plane.right) <= std::abs(plane.down)) {
            for (std::size_t y = 0; y < height; ++y) {
                for (std::size_t x = 0; x < width; ++x) copy(y, x);
            }
        } else {
            for (std::size_t x = 0; x < width; ++x) {
                for (std::size_t y = 0; y < height; ++y) copy(y, x);
            }
        }
        return {packed_.data(), plane.size, static_cast<std::ptrdiff_t>(width), 1};
    }

    FindChanges search_row_;
    std::vector<std::uint32_t> found_, sorted_;
    std::vector<std::size_t> row_end_, column_;
    std::vector<std::uint8_t> packed_;
    std::size_t count_ = 0;
    std::uint8_t seen_ = 0;
};

[[noreturn]] void refuse_value(const Plane& plane, std::size_t row) {
    for (std::size_t y = 0; y < plane.size.height; ++y) {
        for (std::size_t x = 0; x < plane.size.width; ++x) {
            const std::uint8_t value = *plane.at(y, x);
            if (value > 1) {
                throw Error("mask-value",
                            std::to_string(value) + " at row " + std::to_string(y) + ", column " + std::to_string(x),
                            "0 or 1")
                    .at_row(static_cast<std::int64_t>(row));
            }
        }
    }
    throw Error("mask-value", "values that change while they are read", "0 or 1")
        .at_row(static_cast<std::int64_t>(row));
}

}  // namespace

RaggedRuns from_dense(const DenseMasks& masks, std::size_t threads, Simd level) {
    const auto [count, height, width] = masks.shape;
    if (height > kMaxPixels || width > kMaxPixels) {
        throw Error("mask-size", std::to_string(height) + " x " + std::to_string(width) + " (height x width)",
                    "at most " + std::to_string(kMaxPixels) + " pixels");
    }
    const Size size{static_cast<std::uint32_t>(height), static_cast<std::uint32_t>(width)};
    check_size(size, 0);
    return make_masks(
        count, threads,
        [&, finder = ChangeFinder(find_changes(level))](std::size_t i, std::vector<std::uint32_t>& runs) mutable {
            const Plane plane{masks.pixels + static_cast<std::ptrdiff_t>(i) * masks.strides[0], size, masks.strides[1],
                              masks.strides[2]};
            std::uint8_t seen = 0;
            const auto changes = finder.find(plane, seen);
            if (seen > 1) refuse_value(plane, i);
            append_runs(changes, size, runs);
        });
}

namespace {

void paint_columns(Runs runs, std::uint8_t* pixels) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (i % 2 == 1) std::memset(pixels, 1, runs[i]);
        pixels += runs[i];
    }
}

// Marks in each column where the mask changes, then lets every row take over the row above it where it has no mark:
// only marks are scattered over the image, the filling runs along the rows.
void paint_rows(Runs runs, Size size, std::uint8_t* pixels) {
    const std::size_t height = size.height, width = size.width;
    std::size_t position = 0;
    for (std::size_t i = 0; i + 1 < runs.size(); i += 2) {
        position += runs[i];
        const std::size_t end = position + runs[i + 1];
        while (position < end) {
            const std::size_t x = position / height, y = position % height;
            const std::size_t stop = std::min(end, (x + 1) * height);
            pixels[y * width + x] ^= 1;
            if (stop < (x + 1) * height) pixels[(y + stop - position) * width + x] ^= 1;
            position = stop;
        }
    }
    const PixelBox tight = box(runs, size);
    for (std::size_t y = std::size_t{tight.y0} + 1; y < tight.y1; ++y) {
        const std::uint8_t* above = pixels + (y - 1) * width;
        std::uint8_t* row = pixels + y * width;
        for (std::size_t x = tight.x0; x < tight.x1; ++x) row[x] ^= above[x];
    }
    // The mark below the last row of the box has done its work: it ends the lowest runs.
    if (tight.y1 < height) {
        std::memset(pixels + std::size_t{tight.y1} * width + tight.x0, 0, tight.x1 - tight.x0);
    }
}

}  // namespace

void to_dense(const MaskSet& set, Order order, std::uint8_t* pixels, std::size_t threads) {
    if (set.size() == 0) return;
    const Size size = set.size_of(0);
    for (std::size_t i = 1; i < set.size(); ++i) {
        if (set.size_of(i) != size) {
            throw Error("mask-size", to_string(set.size_of(i)), to_string(size) + " as the first mask")
                .at_row(static_cast<std::int64_t>(i));
        }
    }
    parallel_for(set.size(), threads, [&](std::size_t i) {
        std::uint8_t* const at = pixels + i * size.pixels();
        if (order == Order::kColumnMajor) {
            paint_columns(set.runs(i), at);
        } else {
            paint_rows(set.runs(i), size, at);
        }
    });
}

}  // namespace rapideval::masks
