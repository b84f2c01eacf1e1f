#include "matching/groups.hpp"

#include <cstddef>
#include <limits>
#include <numeric>
#include <string>

#include "common/error.hpp"

namespace rapideval::matching {

void check_places(std::span<const std::int32_t> values, std::size_t count, const char* name) {
    for (std::size_t row = 0; row < values.size(); ++row) {
        if (values[row] >= 0 && static_cast<std::size_t>(values[row]) < count) continue;
        throw Error("column-range", std::to_string(values[row]), "a place from 0 to below " + std::to_string(count))
            .at_path(name)
            .at_row(static_cast<std::int64_t>(row));
    }
}

Groups group_by_image(std::span<const std::int32_t> image, std::span<const std::int32_t> image_rank, const char* side) {
    if (image.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
        throw Error("too-many-rows", std::to_string(image.size()) + " rows", "fewer than 2^31").at_path(side);
    }
    check_places(image, image_rank.size(), side);
    Groups groups;
    groups.offsets.assign(image_rank.size() + 1, 0);
    bool in_order = true;
    std::int32_t last = 0;
    for (const std::int32_t place : image) {
        const std::int32_t rank = image_rank[static_cast<std::size_t>(place)];
        in_order &= rank >= last;
        last = rank;
        ++groups.offsets[static_cast<std::size_t>(rank) + 1];
    }
    std::partial_sum(groups.offsets.begin(), groups.offsets.end(), groups.offsets.begin());
    groups.order.resize(image.size());
    if (in_order) {
        std::iota(groups.order.begin(), groups.order.end(), 0);
        return groups;
    }
    std::vector<std::int64_t> next(groups.offsets.begin(), groups.offsets.end() - 1);
    for (std::size_t row = 0; row < image.size(); ++row) {
        const auto rank = static_cast<std::size_t>(image_rank[static_cast<std::size_t>(image[row])]);
        groups.order[static_cast<std::size_t>(next[rank]++)] = static_cast<std::int32_t>(row);
    }
    return groups;
}

}  // namespace rapideval::matching
