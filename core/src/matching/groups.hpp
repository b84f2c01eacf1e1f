// Rows brought together by image.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rapideval::matching {

// Row numbers by image: those of the image of rank r are order[offsets[r]] to order[offsets[r + 1]], rising.
struct Groups {
    std::vector<std::int32_t> order;
    std::vector<std::int64_t> offsets;

    std::span<const std::int32_t> rows(std::size_t rank) const {
        const auto first = static_cast<std::size_t>(offsets[rank]);
        return {order.data() + first, static_cast<std::size_t>(offsets[rank + 1]) - first};
    }
};

// Throws Error where an image has no rank: `side` names the table in its path.
Groups group_by_image(std::span<const std::int32_t> image, std::span<const std::int32_t> image_rank, const char* side);

// Throws Error unless every value lies in [0, count).
void check_places(std::span<const std::int32_t> values, std::size_t count, const char* name);

}  // namespace rapideval::matching
