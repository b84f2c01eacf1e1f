// Compressed strings from hostile hands, and the laws of masks on whatever sound masks the bytes make.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "masks/algebra.hpp"
#include "masks/codec.hpp"
#include "masks/dense.hpp"
#include "masks/iou.hpp"
#include "masks/measure.hpp"
#include "masks/outline.hpp"
#include "masks/polygon.hpp"

using namespace rapideval;
using namespace rapideval::masks;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

// A string is refused, or its runs sum to the size and are written back as no more text than was read.
void read_string(std::string_view text, Size size) {
    std::vector<std::uint32_t> runs(count_runs(text));
    std::vector<std::uint32_t> plain(runs.size());
    const bool sound = decode(text, size, runs);
    require(decode(text, size, plain, Simd::kPlain) == sound);
    if (sound) {
        require(runs == plain);
        check_runs(runs, size, 0);
        require(encoded_length(runs) <= text.size());
    } else {
        try {
            explain(text, size);
        } catch (const Error&) {
        }
    }
}

// Bytes as run lengths, cut off or filled up to the image.
std::vector<std::uint32_t> sound_runs(std::string_view bytes, Size size) {
    std::vector<std::uint32_t> runs;
    std::uint64_t left = size.pixels();
    for (const char byte : bytes) {
        const auto run = std::min<std::uint64_t>(static_cast<unsigned char>(byte), left);
        runs.push_back(static_cast<std::uint32_t>(run));
        left -= run;
    }
    runs.push_back(static_cast<std::uint32_t>(left));
    return runs;
}

struct Masks {
    std::vector<std::uint32_t> counts, sizes;
    std::vector<std::int64_t> offsets{0};

    void add(const std::vector<std::uint32_t>& runs, Size size) {
        counts.insert(counts.end(), runs.begin(), runs.end());
        offsets.push_back(static_cast<std::int64_t>(counts.size()));
        sizes.insert(sizes.end(), {size.height, size.width});
    }
    MaskSet set() const { return {counts, offsets, sizes}; }
};

void check_laws(const Masks& masks, Size size) {
    const MaskSet set = masks.set();
    check_masks(set);
    const std::vector<std::int64_t> both{0, 2};
    const auto either = combine(set, both, Operation::kUnion, 1).counts,
               shared = combine(set, both, Operation::kIntersection, 1).counts;
    const auto rest = combine(set, both, Operation::kDifference, 1).counts;
    const std::uint64_t a = area(set.runs(0)), b = area(set.runs(1));
    require(area(either) + area(shared) == a + b);
    require(area(rest) == a - area(shared));
    check_runs(either, size, 0);

    std::vector<std::uint32_t> bounds(set.counts.size());
    const Prepared left = prepare(set.runs(0), size, bounds.data());
    const Prepared right = prepare(set.runs(1), size, bounds.data() + set.offsets[1]);
    require(intersection_area(left, right) == area(shared));
    require(intersection_area(set.runs(0), set.runs(1)) == area(shared));
    require(iou_bound(left, right, false) >= iou(left, right, false));
    require(box(set.runs(0), size) == left.box);

    // Each mask alone, in canonical form.
    const std::vector<std::int64_t> alone{0, 1, 2};
    const RaggedRuns plain = combine(set, alone, Operation::kUnion, 1);
    const std::int64_t height = size.height, width = size.width;
    const std::vector<std::int64_t> windows{0, 0, width, height, 0, 0, width, height};
    require(crop(set, windows, 1).counts == plain.counts);
    for (const Connectivity connectivity : {Connectivity::kFour, Connectivity::kEight}) {
        const Outlines rings = outlines(set, connectivity, 1);
        require(from_polygons({rings.points, rings.ring_offsets, rings.row_offsets, rings.ring_is_hole, masks.sizes}, 1)
                    .counts == plain.counts);
    }
    std::vector<std::uint8_t> pixels(2 * size.pixels());
    const std::size_t n = size.pixels();
    to_dense(set, Order::kRowMajor, pixels.data(), 1);
    const DenseMasks rows{pixels.data(),
                          {2, size.height, size.width},
                          {static_cast<std::ptrdiff_t>(n), static_cast<std::ptrdiff_t>(width), 1}};
    require(from_dense(rows, 1).counts == plain.counts);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
    if (length < 5) return 0;
    const Size claimed{static_cast<std::uint32_t>(data[0] | data[1] << 8),
                       static_cast<std::uint32_t>(data[2] | data[3] << 8)};
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 5, length - 5);
    read_string(bytes, claimed);
    const Size size{claimed.height % 256, claimed.width % 256};  // small, for many tries a second
    if (size.pixels() == 0) return 0;

    const std::size_t cut = bytes.size() * data[4] / 255;
    Masks masks;
    masks.add(sound_runs(bytes.substr(0, cut), size), size);
    masks.add(sound_runs(bytes.substr(cut), size), size);
    check_laws(masks, size);

    std::vector<char> text(encoded_length(masks.counts));
    encode(masks.counts, text.data());
    for (std::size_t i = 0; i < 2; ++i) {
        std::vector<char> alone(encoded_length(masks.set().runs(i)));
        encode(masks.set().runs(i), alone.data());
        std::vector<std::uint32_t> back(count_runs({alone.data(), alone.size()}));
        require(decode({alone.data(), alone.size()}, size, back));
        require(std::equal(back.begin(), back.end(), masks.set().runs(i).begin(), masks.set().runs(i).end()));
    }
    return 0;
}
