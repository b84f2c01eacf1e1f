#include "semantic/confusion.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace rapideval::semantic {

namespace {

// A place where a mask begins or ends. Masks of an image are numbered ground truth first, then predictions.
struct Edge {
    std::uint32_t position;
    std::uint32_t mask;
};

// Which masks of one side cover the current pixel; the last of them is what is seen.
class Painted {
  public:
    void reset(std::size_t count) {
        words_.assign((count + 63) / 64, 0);
        active_ = 0;
    }
    void flip(std::size_t index) {
        const std::uint64_t bit = std::uint64_t{1} << (index % 64);
        words_[index / 64] ^= bit;
        active_ += (words_[index / 64] & bit) ? 1 : -1;
    }
    int active() const { return active_; }
    std::size_t top() const {  // only where something is active
        std::size_t word = words_.size() - 1;
        while (words_[word] == 0) --word;
        return word * 64 + 63 - static_cast<std::size_t>(std::countl_zero(words_[word]));
    }

  private:
    std::vector<std::uint64_t> words_;
    int active_ = 0;
};

struct Range {
    std::size_t begin = 0, end = 0;
    std::size_t size() const { return end - begin; }
};

// What one image gives; kept apart until all are done, so that their order does not depend on the threads.
struct ImageResult {
    std::vector<std::int32_t> label;
    std::vector<std::int64_t> truth, predicted, intersection;
    std::int64_t ignored = 0, covered[2] = {0, 0};
};

class Comparer {
  public:
    Comparer(const Side& truth, const Side& predicted, std::size_t labels, bool ignore_unlabelled)
        : truth_(truth),
          predicted_(predicted),
          labels_(labels),
          ignore_unlabelled_(ignore_unlabelled),
          confusion_((labels + 1) * (labels + 1), 0) {}

    const std::vector<std::int64_t>& confusion() const { return confusion_; }

    ImageResult compare(std::uint64_t pixels, Range truth, Range predicted) {
        collect(truth, predicted);
        ImageResult result;
        touched_.clear();
        painted_[0].reset(truth.size());
        painted_[1].reset(predicted.size());
        int ignoring = 0;
        std::uint64_t position = 0;
        const auto advance = [&](std::uint64_t to) {
            if (to == position) return;
            const auto length = static_cast<std::int64_t>(to - position);
            position = to;
            for (std::size_t side = 0; side < 2; ++side) {
                if (painted_[side].active() > 1) result.covered[side] += length;
            }
            if (ignoring > 0 || (ignore_unlabelled_ && painted_[0].active() == 0)) {
                result.ignored += length;
                return;
            }
            add(seen(painted_[0], truth_, truth), seen(painted_[1], predicted_, predicted), length);
        };
        for (const Edge edge : edges_) {
            advance(edge.position);
            if (edge.mask >= truth.size()) {
                painted_[1].flip(edge.mask - truth.size());
            } else if (ignored(truth.begin + edge.mask)) {
                const bool starts = !ignore_on_[edge.mask];
                ignore_on_[edge.mask] = starts;
                ignoring += starts ? 1 : -1;
            } else {
                painted_[0].flip(edge.mask);
            }
        }
        advance(pixels);
        finish(result);
        return result;
    }

  private:
    bool ignored(std::size_t row) const { return !truth_.ignore.empty() && truth_.ignore[row] != 0; }

    void collect(Range truth, Range predicted) {
        edges_.clear();
        ignore_on_.assign(truth.size(), 0);
        collect_side(truth_, truth, 0);
        collect_side(predicted_, predicted, static_cast<std::uint32_t>(truth.size()));
        std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) { return a.position < b.position; });
    }

    void collect_side(const Side& side, Range range, std::uint32_t first) {
        for (std::size_t row = range.begin; row < range.end; ++row) {
            std::uint32_t position = 0;
            bool foreground = false;
            const auto mask = static_cast<std::uint32_t>(first + (row - range.begin));
            for (const std::uint32_t run : side.masks.runs(row)) {
                if (foreground && run > 0) {
                    edges_.push_back({position, mask});
                    edges_.push_back({position + run, mask});
                }
                position += run;
                foreground = !foreground;
            }
        }
    }

    std::size_t seen(const Painted& painted, const Side& side, Range range) const {
        return painted.active() > 0 ? static_cast<std::size_t>(side.label[range.begin + painted.top()]) : labels_;
    }

    void add(std::size_t truth, std::size_t predicted, std::int64_t length) {
        touch(truth).truth += length;
        Counts& there = touch(predicted);
        there.predicted += length;
        if (truth == predicted) there.intersection += length;
        confusion_[truth * (labels_ + 1) + predicted] += length;
    }

    struct Counts {
        std::size_t label;
        std::int64_t truth = 0, predicted = 0, intersection = 0;
    };

    // Few labels stand in one image, and mostly the same again and again: the last ones are looked at first.
    Counts& touch(std::size_t label) {
        for (std::size_t i = touched_.size(); i-- > 0;) {
            if (touched_[i].label == label) return touched_[i];
        }
        touched_.push_back({label});
        return touched_.back();
    }

    void finish(ImageResult& result) {
        std::sort(touched_.begin(), touched_.end(), [](const Counts& a, const Counts& b) { return a.label < b.label; });
        for (const Counts& counts : touched_) {
            result.label.push_back(static_cast<std::int32_t>(counts.label));
            result.truth.push_back(counts.truth);
            result.predicted.push_back(counts.predicted);
            result.intersection.push_back(counts.intersection);
        }
    }

    const Side& truth_;
    const Side& predicted_;
    std::size_t labels_;
    bool ignore_unlabelled_;
    std::vector<std::int64_t> confusion_;
    std::vector<Edge> edges_;
    std::vector<std::uint8_t> ignore_on_;
    std::vector<Counts> touched_;
    Painted painted_[2];
};

// The rows of each image; throws unless rows are sorted by image, labels exist and masks are of their image's size.
std::vector<Range> ranges(const Side& side, std::span<const std::uint32_t> sizes, std::size_t labels,
                          const char* name) {
    const std::size_t images = sizes.size() / 2;
    const std::size_t rows = side.masks.size();
    if (side.image.size() != rows || side.label.size() != rows ||
        (!side.ignore.empty() && side.ignore.size() != rows)) {
        throw Error("column-length", std::string("columns of different length in the ") + name,
                    std::to_string(rows) + " rows");
    }
    std::vector<Range> result(images);
    for (std::size_t row = 0; row < rows; ++row) {
        const std::int32_t image = side.image[row];
        const auto at = static_cast<std::int64_t>(row);
        if (image < 0 || static_cast<std::size_t>(image) >= images || (row > 0 && image < side.image[row - 1])) {
            throw Error("column-range", "image " + std::to_string(image),
                        "images in rising order, below " + std::to_string(images))
                .at_row(at);
        }
        if (side.label[row] < 0 || static_cast<std::size_t>(side.label[row]) >= labels) {
            throw Error("column-range", "label " + std::to_string(side.label[row]),
                        "a label below " + std::to_string(labels))
                .at_row(at);
        }
        const auto place = static_cast<std::size_t>(image);
        const masks::Size size{sizes[2 * place], sizes[2 * place + 1]};
        if (side.masks.size_of(row) != size) {
            throw Error("mask-size", "a mask of " + to_string(side.masks.size_of(row)),
                        to_string(size) + ", as its image")
                .at_row(at);
        }
        if (result[place].size() == 0) result[place].begin = row;
        result[place].end = row + 1;
    }
    return result;
}

}  // namespace

Comparison compare(std::span<const std::uint32_t> sizes, const Side& truth, const Side& predicted, std::size_t labels,
                   bool ignore_unlabelled, std::size_t threads) {
    const std::size_t images = sizes.size() / 2;
    for (std::size_t i = 0; i < images; ++i) masks::check_size({sizes[2 * i], sizes[2 * i + 1]}, i);
    const std::vector<Range> truth_rows = ranges(truth, sizes, labels, "ground truth");
    const std::vector<Range> predicted_rows = ranges(predicted, sizes, labels, "predictions");

    std::vector<ImageResult> results(images);
    threads = std::max<std::size_t>(1, std::min(threads, images));
    // Each piece has a matrix of its own; sums of integers do not depend on which image went to which.
    std::vector<Comparer> comparers(threads, Comparer(truth, predicted, labels, ignore_unlabelled));
    parallel_for(threads, threads, [&](std::size_t piece) {
        for (std::size_t i = piece; i < images; i += threads) {
            const std::uint64_t pixels = std::uint64_t{sizes[2 * i]} * sizes[2 * i + 1];
            results[i] = comparers[piece].compare(pixels, truth_rows[i], predicted_rows[i]);
        }
    });

    Comparison all;
    all.confusion.assign((labels + 1) * (labels + 1), 0);
    for (const Comparer& comparer : comparers) {
        for (std::size_t i = 0; i < all.confusion.size(); ++i) all.confusion[i] += comparer.confusion()[i];
    }
    for (std::size_t i = 0; i < images; ++i) {
        const ImageResult& one = results[i];
        all.image.insert(all.image.end(), one.label.size(), static_cast<std::int32_t>(i));
        all.label.insert(all.label.end(), one.label.begin(), one.label.end());
        all.truth.insert(all.truth.end(), one.truth.begin(), one.truth.end());
        all.predicted.insert(all.predicted.end(), one.predicted.begin(), one.predicted.end());
        all.intersection.insert(all.intersection.end(), one.intersection.begin(), one.intersection.end());
        all.ignored.push_back(one.ignored);
        all.covered.push_back(one.covered[0]);
        all.covered.push_back(one.covered[1]);
    }
    return all;
}

}  // namespace rapideval::semantic
