// What one mask measures: its area and its tight box.
#pragma once

#include <cstdint>
#include <vector>

#include "masks/rle.hpp"

namespace rapideval::masks {

// Columns x0 to x1 and rows y0 to y1, ends excluded; all 0 for an empty mask.
struct PixelBox {
    std::uint32_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;

    std::uint64_t area() const { return std::uint64_t{x1 - x0} * (y1 - y0); }
    bool operator==(const PixelBox&) const = default;
};

// Pixels that both boxes hold.
inline std::uint64_t overlap(const PixelBox& a, const PixelBox& b) {
    const std::uint32_t x0 = a.x0 > b.x0 ? a.x0 : b.x0, x1 = a.x1 < b.x1 ? a.x1 : b.x1;
    const std::uint32_t y0 = a.y0 > b.y0 ? a.y0 : b.y0, y1 = a.y1 < b.y1 ? a.y1 : b.y1;
    return x0 < x1 && y0 < y1 ? std::uint64_t{x1 - x0} * (y1 - y0) : 0;
}

// Grows a box by foreground runs, which must come in rising order.
//
// Runs of neighbouring columns follow each other closely, so the column of a run is mostly found from the
// last one by subtraction; the division is for the rest.
class BoxBuilder {
  public:
    explicit BoxBuilder(std::uint32_t height) : height_(height) {}

    void add(std::uint32_t start, std::uint32_t end) {  // start < end
        const std::uint32_t y_start = advance(start);
        if (box_.x1 == 0) {
            box_.x0 = column_;
            box_.y0 = height_;
        }
        const std::uint32_t length = end - start;
        if (length <= height_ - y_start) {
            box_.y0 = y_start < box_.y0 ? y_start : box_.y0;
            box_.y1 = y_start + length > box_.y1 ? y_start + length : box_.y1;
            box_.x1 = column_ + 1;
        } else {  // over the foot of a column into the next
            box_.y0 = 0;
            box_.y1 = height_;
            advance(end - 1);
            box_.x1 = column_ + 1;
        }
    }

    const PixelBox& box() const { return box_; }

  private:
    std::uint32_t advance(std::uint32_t position) {  // to the column of the position; returns its row
        std::uint32_t row = position - column_start_;
        if (row >= height_) {
            if (row - height_ < height_) {
                ++column_;
                column_start_ += height_;
            } else {
                column_ += row / height_;
                column_start_ = position - row % height_;
            }
            row = position - column_start_;
        }
        return row;
    }

    std::uint32_t height_, column_ = 0, column_start_ = 0;
    PixelBox box_;
};

std::uint64_t area(Runs runs);
PixelBox box(Runs runs, Size size);

std::vector<std::int64_t> areas(Runs counts, std::span<const std::int64_t> offsets, std::size_t threads);
std::vector<double> boxes(const MaskSet& set, std::size_t threads);  // x, y, width, height of each

}  // namespace rapideval::masks
