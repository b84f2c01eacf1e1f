#include "masks/rle.hpp"

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace rapideval::masks {

std::string to_string(Size size) {
    return std::to_string(size.height) + " x " + std::to_string(size.width) + " (height x width)";
}

void check_offsets(std::span<const std::int64_t> offsets, std::size_t total, const char* rule, const char* what) {
    const std::string name(what);
    if (offsets.empty()) throw Error(rule, "no " + name, "at least one number");
    const std::string expected = name + " that rise from 0 to " + std::to_string(total);
    if (offsets.front() != 0)
        throw Error(rule, name + " that begin with " + std::to_string(offsets.front()), expected).at_row(0);
    for (std::size_t i = 1; i < offsets.size(); ++i) {
        if (offsets[i] < offsets[i - 1]) {
            throw Error(rule, std::to_string(offsets[i]) + " after " + std::to_string(offsets[i - 1]), expected)
                .at_row(static_cast<std::int64_t>(i) - 1);
        }
    }
    if (static_cast<std::uint64_t>(offsets.back()) != total) {
        throw Error(rule, name + " that end with " + std::to_string(offsets.back()), expected)
            .at_row(static_cast<std::int64_t>(offsets.size()) - 2);
    }
}

void check_size(Size size, std::size_t row) {
    if (size.pixels() > kMaxPixels) {
        throw Error("mask-size", to_string(size), "at most " + std::to_string(kMaxPixels) + " pixels")
            .at_row(static_cast<std::int64_t>(row));
    }
}

void check_runs(Runs runs, Size size, std::size_t row) {
    std::uint64_t sum = 0;
    for (const std::uint32_t run : runs) sum += run;
    if (sum != size.pixels()) {
        throw Error("rle-sum", "runs that sum to " + std::to_string(sum),
                    std::to_string(size.pixels()) + ", the pixels of " + to_string(size))
            .at_row(static_cast<std::int64_t>(row));
    }
}

void check_masks(const MaskSet& set, std::size_t threads) {
    check_offsets(set.offsets, set.counts.size(), "rle-offsets", "offsets");
    if (set.sizes.size() != 2 * set.size()) {
        throw Error("rle-sizes", std::to_string(set.sizes.size() / 2) + " sizes",
                    std::to_string(set.size()) + ", one for each mask");
    }
    constexpr std::size_t kPiece = 256;  // masks that one thread takes at a time
    parallel_rows(set.size(), kPiece, threads, [&](std::size_t i) {
        check_size(set.size_of(i), i);
        check_runs(set.runs(i), set.size_of(i), i);
    });
}

}  // namespace rapideval::masks
