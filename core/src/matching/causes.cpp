#include "matching/causes.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "matching/groups.hpp"

namespace rapideval::matching {

namespace {

constexpr std::size_t kPieceImages = 16;

// The best of some objects for one detection.
struct Best {
    double iou = -1;
    std::size_t place = 0;
    void offer(double other, std::size_t at) {
        if (other > iou) {
            iou = other;
            place = at;
        }
    }
};

class ImageCauses {
  public:
    ImageCauses(const Rows& detections, std::span<const double> scores, const Rows& objects, Flags crowd,
                const Overlap& overlap, const CauseOptions& options, CauseTable& table)
        : detections_(detections),
          scores_(scores),
          objects_(objects),
          crowd_(crowd),
          overlap_(overlap),
          options_(options),
          table_(table) {}

    // kept: rows of the detections by falling score; first: where their results go.
    void run(std::span<const std::int32_t> kept, std::span<const std::int32_t> cell, std::size_t first) {
        const std::size_t count = cell.size();
        iou_.resize(kept.size() * count);
        for (std::size_t d = 0; d < kept.size(); ++d) {
            table_.row[first + d] = kept[d];
            overlap_.row(kept[d], cell, options_.background, iou_.data() + d * count, scratch_);
        }
        find(kept, cell, first);
        for (std::size_t d = 0; d < kept.size(); ++d) {
            if (table_.cause[first + d] != static_cast<std::uint8_t>(Cause::kCorrect))
                explain(kept, cell, d, first + d);
        }
    }

  private:
    std::size_t at(std::int32_t row) const { return static_cast<std::size_t>(row); }

    // Greedy, surest first: an object is found by the first detection of its label that has it as its best free one.
    void find(std::span<const std::int32_t> kept, std::span<const std::int32_t> cell, std::size_t first) {
        const std::size_t count = cell.size();
        free_.assign(count, 1);
        for (std::size_t d = 0; d < kept.size(); ++d) {
            const double* iou = iou_.data() + d * count;
            const std::int32_t label = detections_.label[at(kept[d])];
            Best best;
            bool in_crowd = false;
            for (std::size_t o = 0; o < count; ++o) {
                const std::size_t object = at(cell[o]);
                if (objects_.label[object] != label) continue;
                if (crowd_[object] != 0) {
                    in_crowd |= iou[o] > options_.found;
                } else if (free_[o] != 0) {
                    best.offer(iou[o], o);
                }
            }
            const bool found = best.iou >= options_.found;
            table_.cause[first + d] = static_cast<std::uint8_t>(found ? Cause::kCorrect : Cause::kBackground);
            table_.ignored[first + d] = !found && in_crowd ? 1 : 0;
            table_.object[first + d] = found ? cell[best.place] : -1;
            table_.iou[first + d] = found ? best.iou : 0;
            if (found) {
                free_[best.place] = 0;
                table_.found_by[at(cell[best.place])] = kept[d];
            }
        }
    }

    void explain(std::span<const std::int32_t> kept, std::span<const std::int32_t> cell, std::size_t d,
                 std::size_t to) {
        const std::size_t count = cell.size();
        const double* iou = iou_.data() + d * count;
        const std::int32_t label = detections_.label[at(kept[d])];
        Best same, other, used;
        for (std::size_t o = 0; o < count; ++o) {
            const std::size_t object = at(cell[o]);
            if (crowd_[object] != 0) continue;
            if (objects_.label[object] == label) {
                same.offer(iou[o], o);
                if (free_[o] == 0) used.offer(iou[o], o);
            } else {
                other.offer(iou[o], o);
            }
        }
        const auto set = [&](Cause cause, const Best& best) {
            table_.cause[to] = static_cast<std::uint8_t>(cause);
            if (best.iou < options_.background) return;
            table_.object[to] = cell[best.place];
            table_.iou[to] = best.iou;
        };
        if (options_.background <= same.iou && same.iou <= options_.found) {
            set(Cause::kLocalisation, same);
            mend(kept[d], cell[same.place], same.place);
        } else if (other.iou >= options_.found) {
            set(Cause::kLabel, other);
            mend(kept[d], cell[other.place], other.place);
        } else if (used.iou >= options_.found) {
            set(Cause::kDuplicate, used);
        } else {
            const Best& nearest = other.iou > same.iou ? other : same;
            set(nearest.iou <= options_.background ? Cause::kBackground : Cause::kBoth, nearest);
        }
    }

    // The surest detection mends an object that nobody found; among equally sure ones the first.
    void mend(std::int32_t row, std::int32_t object, std::size_t place) {
        if (free_[place] == 0) return;
        std::int32_t& by = table_.mended_by[at(object)];
        if (by < 0 || scores_[at(row)] > scores_[at(by)]) by = row;
    }

    const Rows& detections_;
    std::span<const double> scores_;
    const Rows& objects_;
    Flags crowd_;
    const Overlap& overlap_;
    const CauseOptions& options_;
    CauseTable& table_;
    OverlapScratch scratch_;
    std::vector<double> iou_;
    std::vector<std::uint8_t> free_;
};

}  // namespace

CauseTable causes(const Rows& detections, std::span<const double> scores, const Rows& objects, Flags crowd,
                  const Overlap& overlap, const CauseOptions& options) {
    if (!(options.background > 0 && options.background <= options.found && options.found <= 1)) {
        throw Error("protocol-range", "IoU thresholds that are not in order", "0 < background <= found <= 1");
    }
    if (scores.size() != detections.size() || detections.label.size() != detections.size() ||
        objects.label.size() != objects.size() || crowd.size() != objects.size()) {
        throw Error("column-length", "columns of different length", "one value a row");
    }
    const Groups by_image = group_by_image(detections.image, options.image_rank, "predictions");
    const Groups objects_of = group_by_image(objects.image, options.image_rank, "ground_truth");
    const std::size_t images = options.image_rank.size();

    std::vector<std::size_t> first(images + 1, 0);
    for (std::size_t i = 0; i < images; ++i)
        first[i + 1] = first[i] + std::min(by_image.rows(i).size(), options.max_detections);
    CauseTable table;
    table.row = Buffer<std::int32_t>(first[images]);
    table.cause = Buffer<std::uint8_t>(first[images]);
    table.ignored = Buffer<std::uint8_t>(first[images]);
    table.object = Buffer<std::int32_t>(first[images]);
    table.iou = Buffer<double>(first[images]);
    table.found_by = Buffer<std::int32_t>(objects.size());
    table.mended_by = Buffer<std::int32_t>(objects.size());
    std::fill(table.found_by.begin(), table.found_by.end(), -1);
    std::fill(table.mended_by.begin(), table.mended_by.end(), -1);

    const std::size_t pieces = (images + kPieceImages - 1) / kPieceImages;
    parallel_for(pieces, thread_count(options.threads), [&](std::size_t piece) {
        ImageCauses worker(detections, scores, objects, crowd, overlap, options, table);
        std::vector<std::int32_t> order;
        for (std::size_t i = piece * kPieceImages; i < std::min(images, (piece + 1) * kPieceImages); ++i) {
            const auto rows = by_image.rows(i);
            order.assign(rows.begin(), rows.end());
            std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
                return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
            });
            order.resize(first[i + 1] - first[i]);
            worker.run(order, objects_of.rows(i), first[i]);
        }
    });
    return table;
}

}  // namespace rapideval::matching
