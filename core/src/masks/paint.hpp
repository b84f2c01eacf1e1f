// Layers of intervals painted over each other: the one algebra behind unions, intersections, differences and polygons.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "masks/rle.hpp"

namespace rapideval::masks {

// A canvas of positions 0 to pixels, background at first. Layers are painted in the order they are added; a layer sets
// the pixels of its intervals to foreground or, as an eraser, clears them. Only the topmost layer over a pixel counts,
// so all layers are merged in one sweep over their intervals, sorted, in n log n however many layers there are.
//
// A Painter keeps its buffers from canvas to canvas.
class Painter {
  public:
    enum class Layer : std::uint8_t { kSets, kClears };

    void begin(std::uint64_t pixels);

    // A layer whose intervals are the foreground or the background of runs, or lie between rising changes (the first
    // change begins an interval, an odd last one reaches to the end).
    void add_foreground(Runs runs, Layer layer);
    void add_background(Runs runs, Layer layer);
    void add_changes(std::span<const std::uint32_t> changes, Layer layer);

    // The positions at which the finished canvas changes, rising; valid until the next begin().
    std::span<const std::uint32_t> finish();

  private:
    struct Interval {
        std::uint32_t start, end, layer;
    };

    void add(std::uint32_t start, std::uint32_t end) {
        intervals_.push_back({start, end, static_cast<std::uint32_t>(clears_.size() - 1)});
    }
    void open_layer(Layer layer);
    void sort();
    void unite();
    void paint();
    void change(std::uint32_t position, bool foreground);

    std::uint64_t pixels_ = 0;
    std::vector<Interval> intervals_, merged_, open_;
    std::vector<std::size_t> starts_;  // first interval of each layer
    std::vector<bool> clears_;
    bool any_clears_ = false;
    std::vector<std::uint32_t> changes_;
};

}  // namespace rapideval::masks
