#include "masks/measure.hpp"

#include "common/parallel.hpp"

namespace rapideval::masks {

namespace {

constexpr std::size_t kPiece = 256;  // masks that one thread takes at a time

}

std::uint64_t area(Runs runs) {
    std::uint64_t sum = 0;
    for (std::size_t i = 1; i < runs.size(); i += 2) sum += runs[i];
    return sum;
}

PixelBox box(Runs runs, Size size) {
    BoxBuilder builder(size.height);
    std::uint32_t position = 0;
    for (std::size_t i = 1; i < runs.size(); i += 2) {
        const std::uint32_t start = position + runs[i - 1];
        position = start + runs[i];
        if (start < position) builder.add(start, position);
    }
    return builder.box();
}

std::vector<std::int64_t> areas(Runs counts, std::span<const std::int64_t> offsets, std::size_t threads) {
    const MaskSet set{counts, offsets, {}};
    std::vector<std::int64_t> result(set.size());
    parallel_rows(set.size(), kPiece, threads,
                  [&](std::size_t i) { result[i] = static_cast<std::int64_t>(area(set.runs(i))); });
    return result;
}

std::vector<double> boxes(const MaskSet& set, std::size_t threads) {
    std::vector<double> result(4 * set.size());
    parallel_rows(set.size(), kPiece, threads, [&](std::size_t i) {
        const PixelBox tight = box(set.runs(i), set.size_of(i));
        double* out = &result[4 * i];
        for (const std::uint32_t value : {tight.x0, tight.y0, tight.x1 - tight.x0, tight.y1 - tight.y0}) *out++ = value;
    });
    return result;
}

}  // namespace rapideval::masks
