// Making the runs of many masks on several threads, joined in the order of the masks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "common/parallel.hpp"
#include "masks/rle.hpp"

namespace rapideval::masks {

// Calls make(i, runs) for every mask; make appends the runs of mask i. `make` is copied for each piece of the work, so
// it may own buffers that it uses again from mask to mask.
template <typename Make>
RaggedRuns make_masks(std::size_t masks, std::size_t threads, const Make& make) {
    const std::size_t piece_size = std::clamp<std::size_t>(masks / (8 * threads), 1, 1024);
    const std::size_t pieces = (masks + piece_size - 1) / piece_size;
    std::vector<std::vector<std::uint32_t>> made(pieces);
    RaggedRuns result;
    result.offsets.resize(masks + 1);
    parallel_for(pieces, threads, [&](std::size_t piece) {
        Make make_here(make);
        for (std::size_t i = piece * piece_size; i < std::min(masks, (piece + 1) * piece_size); ++i) {
            const std::size_t before = made[piece].size();
            make_here(i, made[piece]);
            result.offsets[i + 1] = static_cast<std::int64_t>(made[piece].size() - before);
        }
    });
    for (std::size_t i = 0; i < masks; ++i) result.offsets[i + 1] += result.offsets[i];
    if (pieces == 1) {
        result.counts = std::move(made.front());
        return result;
    }
    result.counts.resize(static_cast<std::size_t>(result.offsets[masks]));
    parallel_for(pieces, threads, [&](std::size_t piece) {
        if (made[piece].empty()) return;
        std::memcpy(result.counts.data() + result.offsets[piece * piece_size], made[piece].data(),
                    made[piece].size() * sizeof(std::uint32_t));
        made[piece] = {};
    });
    return result;
}

// Appends the runs of a mask whose pixels change at these positions (strictly rising, below pixels).
inline void append_runs(std::span<const std::uint32_t> changes, Size size, std::vector<std::uint32_t>& runs) {
    const std::size_t first = runs.size();
    runs.resize(first + changes.size() + 1);
    std::uint32_t* out = runs.data() + first;
    std::uint32_t last = 0;
    for (const std::uint32_t position : changes) {
        *out++ = position - last;
        last = position;
    }
    *out = static_cast<std::uint32_t>(size.pixels() - last);
}

}  // namespace rapideval::masks
