#include "masks/paint.hpp"

#include <algorithm>

namespace rapideval::masks {

void Painter::begin(std::uint64_t pixels) {
    pixels_ = pixels;
    intervals_.clear();
    starts_.clear();
    clears_.clear();
    changes_.clear();
    any_clears_ = false;
}

void Painter::open_layer(Layer layer) {
    starts_.push_back(intervals_.size());
    clears_.push_back(layer == Layer::kClears);
    any_clears_ |= layer == Layer::kClears;
}

void Painter::add_foreground(Runs runs, Layer layer) {
    open_layer(layer);
    std::uint32_t position = 0;
    for (std::size_t i = 1; i < runs.size(); i += 2) {
        const std::uint32_t start = position + runs[i - 1];
        position = start + runs[i];
        if (start < position) add(start, position);
    }
}

void Painter::add_background(Runs runs, Layer layer) {
    open_layer(layer);
    std::uint32_t position = 0;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (i % 2 == 0 && runs[i] != 0) add(position, position + runs[i]);
        position += runs[i];
    }
}

void Painter::add_changes(std::span<const std::uint32_t> changes, Layer layer) {
    open_layer(layer);
    for (std::size_t i = 0; i < changes.size(); i += 2) {
        add(changes[i], i + 1 < changes.size() ? changes[i + 1] : static_cast<std::uint32_t>(pixels_));
    }
}

std::span<const std::uint32_t> Painter::finish() {
    sort();
    if (any_clears_) {
        paint();
    } else {
        unite();
    }
    return changes_;
}

// By start. Every layer is sorted already, so neighbouring layers are merged until one list is left.
void Painter::sort() {
    const auto by_start = [](const Interval& a, const Interval& b) { return a.start < b.start; };
    starts_.push_back(intervals_.size());
    merged_.resize(intervals_.size());
    while (starts_.size() > 2) {
        std::size_t lists = 0;
        for (std::size_t i = 0; i + 1 < starts_.size(); i += 2) {
            const std::size_t middle = starts_[i + 1], end = i + 2 < starts_.size() ? starts_[i + 2] : middle;
            const auto at = [&](std::size_t k) { return intervals_.begin() + static_cast<std::ptrdiff_t>(k); };
            std::merge(at(starts_[i]), at(middle), at(middle), at(end),
                       merged_.begin() + static_cast<std::ptrdiff_t>(starts_[i]), by_start);
            starts_[lists++] = starts_[i];
        }
        starts_[lists++] = intervals_.size();
        starts_.resize(lists);
        intervals_.swap(merged_);
    }
}

void Painter::change(std::uint32_t position, bool foreground) {
    if ((changes_.size() % 2 == 1) != foreground && position < pixels_) changes_.push_back(position);
}

void Painter::unite() {
    for (std::size_t i = 0; i < intervals_.size();) {
        std::uint32_t end = intervals_[i].end;
        change(intervals_[i].start, true);
        for (++i; i < intervals_.size() && intervals_[i].start <= end; ++i) end = std::max(end, intervals_[i].end);
        change(end, false);
    }
}

// open_ is a heap of the intervals that have begun, the topmost layer first; intervals under it that have ended stay
// until they come to the top.
void Painter::paint() {
    const auto under = [](const Interval& a, const Interval& b) { return a.layer < b.layer; };
    const auto push = [&](const Interval& interval) {
        open_.push_back(interval);
        std::push_heap(open_.begin(), open_.end(), under);
    };
    open_.clear();
    std::size_t next = 0;
    std::uint32_t position = 0;
    while (next < intervals_.size() || !open_.empty()) {
        if (open_.empty()) position = intervals_[next].start;
        while (next < intervals_.size() && intervals_[next].start <= position) push(intervals_[next++]);
        while (!open_.empty() && open_.front().end <= position) {
            std::pop_heap(open_.begin(), open_.end(), under);
            open_.pop_back();
        }
        if (open_.empty()) {
            change(position, false);
            continue;
        }
        const Interval top = open_.front();
        change(position, !clears_[top.layer]);
        position = top.end;
        while (next < intervals_.size() && intervals_[next].start < position) {
            if (intervals_[next].layer > top.layer) {
                position = intervals_[next].start;
            } else {
                push(intervals_[next++]);
            }
        }
    }
}

}  // namespace rapideval::masks
