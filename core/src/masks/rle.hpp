// Run-length masks, as every kernel of this folder takes them.
//
// A mask of h x w pixels is its run lengths in column-major order, beginning with background: exactly COCO's
// encoding. Pixel (x, y) stands at position x * h + y. N masks are three columns (MaskSet). Kernels other than
// check_masks rely on what check_masks holds: offsets rise and stay inside, runs sum to h * w.
//
// Runs of length 0 may stand anywhere in an input. What a kernel makes is canonical: only the first run may be 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rapideval::masks {

using Runs = std::span<const std::uint32_t>;

// One byte an item, anything but 0 is true: a NumPy bool may hold other bytes than 0 and 1, a C++ bool must not.
using Flags = std::span<const std::uint8_t>;

// Positions and areas are counted in 32 bits, as in COCO's own code: no image has more pixels than this.
inline constexpr std::uint64_t kMaxPixels = 0xffff'ffff;

struct Size {
    std::uint32_t height = 0, width = 0;

    std::uint64_t pixels() const { return std::uint64_t{height} * width; }
    bool operator==(const Size&) const = default;
};

std::string to_string(Size size);  // "480 x 640 (height x width)"

// N masks: mask i is counts[offsets[i]:offsets[i + 1]], its height and width are sizes[2 * i:2 * i + 2].
struct MaskSet {
    Runs counts;
    std::span<const std::int64_t> offsets;
    std::span<const std::uint32_t> sizes;

    std::size_t size() const { return offsets.size() - 1; }
    Runs runs(std::size_t i) const {
        return counts.subspan(static_cast<std::size_t>(offsets[i]),
                              static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
    }
    Size size_of(std::size_t i) const { return {sizes[2 * i], sizes[2 * i + 1]}; }
};

// The same as owner, as kernels return it.
struct RaggedRuns {
    std::vector<std::uint32_t> counts;
    std::vector<std::int64_t> offsets;
};

// Throws `rule` unless offsets hold at least one number and rise from 0 to total.
void check_offsets(std::span<const std::int64_t> offsets, std::size_t total, const char* rule, const char* what);

// Throws "mask-size" unless the image has at most kMaxPixels pixels.
void check_size(Size size, std::size_t row);

// Throws "rle-sum" unless the runs of one mask sum to its size.
void check_runs(Runs runs, Size size, std::size_t row);

// All of the above, for every mask: "rle-offsets", "mask-size", "rle-sum", or "rle-sizes" where sizes is not N x 2.
void check_masks(const MaskSet& set, std::size_t threads = 1);

}  // namespace rapideval::masks
