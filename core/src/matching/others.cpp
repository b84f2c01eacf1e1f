#include "matching/others.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "matching/groups.hpp"

namespace rapideval::matching {

namespace {

constexpr std::size_t kPieceImages = 64;

}  // namespace

Others best_others(const Rows& detections, std::span<const std::int32_t> rows, const Rows& objects, Flags crowd,
                   std::size_t images, const Overlap& overlap, double floor, int threads) {
    check_places(rows, detections.size(), "rows");
    if (detections.label.size() != detections.size() || objects.label.size() != objects.size() ||
        crowd.size() != objects.size()) {
        throw Error("column-length", "columns of different length", "one length on each side");
    }
    std::vector<std::int32_t> image(rows.size()), rank(images);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        image[i] = detections.image[static_cast<std::size_t>(rows[i])];
    }
    std::iota(rank.begin(), rank.end(), 0);
    const Groups asked = group_by_image(image, rank, "predictions.image");
    const Groups there = group_by_image(objects.image, rank, "ground_truth.image");

    Others result{Buffer<double>(rows.size()), Buffer<std::int32_t>(rows.size())};
    const std::size_t pieces = (images + kPieceImages - 1) / kPieceImages;
    parallel_for(pieces, thread_count(threads), [&](std::size_t piece) {
        OverlapScratch scratch;
        std::vector<std::int32_t> others;
        std::vector<double> iou;
        const std::size_t end = std::min(images, (piece + 1) * kPieceImages);
        for (std::size_t i = piece * kPieceImages; i < end; ++i) {
            for (const std::int32_t place : asked.rows(i)) {
                const auto at = static_cast<std::size_t>(place);
                const std::int32_t detection = rows[at];
                const std::int32_t label = detections.label[static_cast<std::size_t>(detection)];
                others.clear();
                for (const std::int32_t object : there.rows(i)) {
                    const auto row = static_cast<std::size_t>(object);
                    if (objects.label[row] != label && crowd[row] == 0) others.push_back(object);
                }
                result.iou[at] = 0;
                result.row[at] = -1;
                if (others.empty()) continue;
                iou.resize(others.size());
                overlap.row(detection, others, floor, iou.data(), scratch);
                const auto best = std::max_element(iou.begin(), iou.end());
                if (*best < floor || *best <= 0) continue;
                result.iou[at] = *best;
                result.row[at] = others[static_cast<std::size_t>(best - iou.begin())];
            }
        }
    });
    return result;
}

}  // namespace rapideval::matching
