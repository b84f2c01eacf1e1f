#include "matching/weighted.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/cpu.hpp"
#include "common/error.hpp"
#include "common/parallel.hpp"

namespace rapideval::matching {

namespace {

#if defined(__GNUC__) || defined(__clang__)
#define RAPIDEVAL_INLINE inline __attribute__((always_inline))
#else
#define RAPIDEVAL_INLINE inline
#endif

constexpr std::size_t kLanes = 8;                   // draws that are walked together
constexpr double kEpsilon = 2.220446049250313e-16;  // np.spacing(1), as pycocotools adds it

using Counts = std::array<std::int32_t, kLanes>;
using Values = std::array<double, kLanes>;

RAPIDEVAL_INLINE void add(Counts& to, const Counts& what) {
    for (std::size_t l = 0; l < kLanes; ++l) to[l] += what[l];
}

// A detection with a match somewhere, where it counts at one threshold and area range.
struct Event {
    std::int32_t image;
    std::uint32_t code;  // bit 0: a true positive; above: place among the label's detections with a match

    bool right() const { return (code & 1) != 0; }
    std::size_t place() const { return code >> 1; }
};

// Detections without any match: bit a is set where they count, as false positives.
struct Plain {
    std::int32_t image;
    std::uint32_t areas;
};

struct Object {
    std::int32_t image;
    std::uint64_t ignored;
};

// Reaching recall thresholds: after the event (a true positive) so many more, in each lane.
struct Reach {
    std::size_t event;
    Counts thresholds;
};

// One label, as far as it is the same for every draw.
struct Block {
    std::vector<Plain> plain;
    std::vector<std::size_t> plain_before;   // how many of them stand before each detection with a match
    std::vector<std::vector<Event>> events;  // [a * T + t], by falling score
    std::vector<Object> objects;
    // Those of range 0 that are right, for the lower limits: [t], with their ranks.
    std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> found;
};

std::vector<Block> make_blocks(const WeightedInput& input) {
    const TableView& table = input.table;
    const std::size_t words = table.words();
    std::vector<Block> blocks(table.labels());
    for (std::size_t k = 0; k < blocks.size(); ++k) {
        Block& block = blocks[k];
        block.events.resize(table.areas * table.thresholds);
        block.found.resize(table.thresholds);
        for (auto d = static_cast<std::size_t>(table.label_offsets[k]);
             d < static_cast<std::size_t>(table.label_offsets[k + 1]); ++d) {
            const std::uint64_t* matched = table.matched.data() + d * words;
            const std::uint64_t* ignored = table.ignored.data() + d * words;
            if (std::all_of(matched, matched + words, [](std::uint64_t word) { return word == 0; })) {
                // Unmatched at every threshold: whether it counts depends on its area alone.
                std::uint32_t areas = 0;
                for (std::size_t a = 0; a < table.areas; ++a) {
                    areas |= static_cast<std::uint32_t>((table.bits(ignored, a) & 1) == 0) << a;
                }
                block.plain.push_back({input.image[d], areas});
                continue;
            }
            const auto place = static_cast<std::uint32_t>(block.plain_before.size());
            block.plain_before.push_back(block.plain.size());
            for (std::size_t bit = 0; bit < block.events.size(); ++bit) {
                if ((ignored[bit / 64] >> (bit % 64) & 1) != 0) continue;
                const auto right = static_cast<std::uint32_t>(matched[bit / 64] >> (bit % 64) & 1);
                block.events[bit].push_back({input.image[d], place << 1 | right});
                if (right != 0 && bit < table.thresholds) block.found[bit].emplace_back(input.image[d], table.rank[d]);
            }
        }
    }
    for (std::size_t g = 0; g < input.object_image.size(); ++g) {
        blocks[static_cast<std::size_t>(input.object_label[g])].objects.push_back(
            {input.object_image[g], input.object_ignored[g]});
    }
    return blocks;
}

// What the two hot loops read and write; see follow() and count_plain().
struct Walk {
    const Counts* weights;  // by image
    Counts* plain;          // [place * A + a]
    Values* precision;      // of each true positive
    const Counts* needed;  // [r]: so many found reach recall threshold r; one more behind the last that nothing reaches
    std::vector<Reach>* reached;
    Counts found;
    std::size_t rights;
};

// Sums up the false positives without any match that stand before each detection with one.
RAPIDEVAL_INLINE void count_plain_with(const Block& block, std::size_t areas, Counts* running, Walk& walk) {
    std::fill(running, running + areas, Counts{});
    std::size_t p = 0;
    for (std::size_t c = 0; c < block.plain_before.size(); ++c) {
        for (; p < block.plain_before[c]; ++p) {
            const Counts& w = walk.weights[block.plain[p].image];
            for (std::uint32_t left = block.plain[p].areas; left != 0; left &= left - 1) {
                add(running[std::countr_zero(left)], w);
            }
        }
        std::copy(running, running + areas, walk.plain + c * areas);
    }
}

// Walks down the scores: precision at each true positive, and where recall thresholds are reached.
RAPIDEVAL_INLINE void follow_with(const std::vector<Event>& events, std::size_t a, std::size_t areas, Walk& walk) {
    Counts found{}, wrong{}, next{}, need = walk.needed[0];
    std::size_t rights = 0;
    for (const Event event : events) {
        const Counts& w = walk.weights[event.image];
        if (!event.right()) {
            add(wrong, w);
            continue;
        }
        const Counts& plain = walk.plain[event.place() * areas + a];
        Values& precision = walk.precision[rights];
        std::int32_t reaches = 0;
        for (std::size_t l = 0; l < kLanes; ++l) {
            found[l] += w[l];
            const auto right = static_cast<double>(found[l]);
            precision[l] = right / (static_cast<double>(wrong[l] + plain[l]) + right + kEpsilon);
            reaches |= static_cast<std::int32_t>(found[l] >= need[l]);
        }
        if (reaches != 0) {
            Counts more{};
            for (std::size_t l = 0; l < kLanes; ++l) {
                while (found[l] >= need[l]) {
                    ++more[l];
                    need[l] = walk.needed[++next[l]][l];
                }
            }
            walk.reached->push_back({rights, more});
        }
        ++rights;
    }
    walk.found = found;
    walk.rights = rights;
}

// Sum over the recall thresholds of the best precision there or beyond.
RAPIDEVAL_INLINE Values best_precision_with(const Walk& walk) {
    Values best{}, sum{};
    std::size_t event = walk.rights;
    for (auto reach = walk.reached->rbegin(); reach != walk.reached->rend(); ++reach) {
        while (event > reach->event) {
            const Values& precision = walk.precision[--event];
            for (std::size_t l = 0; l < kLanes; ++l) best[l] = best[l] < precision[l] ? precision[l] : best[l];
        }
        for (std::size_t l = 0; l < kLanes; ++l) sum[l] += best[l] * static_cast<double>(reach->thresholds[l]);
    }
    return sum;
}

// The same loops for any machine and for those with AVX2, which has room for eight lanes. Additions, divisions and
// comparisons are rounded alike, so the bits are the same.
struct Loops {
    void (*count_plain)(const Block&, std::size_t, Counts*, Walk&);
    void (*follow)(const std::vector<Event>&, std::size_t, std::size_t, Walk&);
    Values (*best_precision)(const Walk&);
};

void count_plain_any(const Block& block, std::size_t areas, Counts* running, Walk& walk) {
    count_plain_with(block, areas, running, walk);
}
void follow_any(const std::vector<Event>& events, std::size_t a, std::size_t areas, Walk& walk) {
    follow_with(events, a, areas, walk);
}
Values best_precision_any(const Walk& walk) { return best_precision_with(walk); }

RAPIDEVAL_AVX2 void count_plain_avx2(const Block& block, std::size_t areas, Counts* running, Walk& walk) {
    count_plain_with(block, areas, running, walk);
}
RAPIDEVAL_AVX2 void follow_avx2(const std::vector<Event>& events, std::size_t a, std::size_t areas, Walk& walk) {
    follow_with(events, a, areas, walk);
}
RAPIDEVAL_AVX2 Values best_precision_avx2(const Walk& walk) { return best_precision_with(walk); }

Loops loops() {
    if (simd() >= Simd::kAvx2) return {count_plain_avx2, follow_avx2, best_precision_avx2};
    return {count_plain_any, follow_any, best_precision_any};
}

// Up to kLanes draws, one lane each.
class Walker {
  public:
    Walker(const WeightedInput& input, const std::vector<Block>& blocks)
        : input_(input), table_(input.table), blocks_(blocks), loops_(loops()), weights_(input.images) {
        std::size_t places = 0, events = 0;
        for (const Block& block : blocks) {
            places = std::max(places, block.plain_before.size());
            for (const auto& list : block.events) events = std::max(events, list.size());
        }
        plain_.resize(places * table_.areas);
        running_.resize(table_.areas);
        precision_.resize(events);
        needed_.resize(input.recall_thresholds.size() + 1);
    }

    void run(std::size_t first, std::size_t draws, WeightedDraws& out) {
        for (std::size_t i = 0; i < input_.images; ++i) {
            for (std::size_t l = 0; l < kLanes; ++l) {
                weights_[i][l] = l < draws ? input_.weights[(first + l) * input_.images + i] : 0;
            }
        }
        for (std::size_t k = 0; k < blocks_.size(); ++k) walk(k, first, draws, out);
    }

  private:
    void walk(std::size_t k, std::size_t first, std::size_t draws, WeightedDraws& out) {
        const Block& block = blocks_[k];
        const std::size_t areas = table_.areas, thresholds = table_.thresholds, limits = input_.limits.size();
        const std::size_t pairs = areas + limits - 1;
        Walk walk{weights_.data(), plain_.data(), precision_.data(), needed_.data(), &reached_, Counts{}, 0};
        count_objects(block);
        loops_.count_plain(block, areas, running_.data(), walk);
        for (std::size_t a = 0; a < areas; ++a) {
            find_needed(objects_[a]);
            for (std::size_t t = 0; t < thresholds; ++t) {
                reached_.clear();
                loops_.follow(block.events[a * thresholds + t], a, areas, walk);
                const Values sum = loops_.best_precision(walk);
                for (std::size_t l = 0; l < draws; ++l) {
                    const std::size_t row = (first + l) * blocks_.size() + k;
                    out.precision[(row * areas + a) * thresholds + t] =
                        objects_[a][l] == 0 ? kUndefined
                                            : sum[l] / static_cast<double>(input_.recall_thresholds.size());
                    out.recall[(row * pairs + a) * thresholds + t] = ratio(walk.found[l], objects_[a][l]);
                }
            }
        }
        for (std::size_t m = 0; m + 1 < limits; ++m) {
            for (std::size_t t = 0; t < thresholds; ++t) {
                Counts found{};
                for (const auto& [image, rank] : block.found[t]) {
                    if (rank < input_.limits[m]) add(found, weights_[static_cast<std::size_t>(image)]);
                }
                for (std::size_t l = 0; l < draws; ++l) {
                    const std::size_t row = (first + l) * blocks_.size() + k;
                    out.recall[(row * pairs + areas + m) * thresholds + t] = ratio(found[l], objects_[0][l]);
                }
            }
        }
    }

    static constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

    static double ratio(std::int32_t part, std::int32_t whole) {
        return whole == 0 ? kUndefined : static_cast<double>(part) / static_cast<double>(whole);
    }

    void count_objects(const Block& block) {
        objects_.assign(table_.areas, Counts{});
        for (const Object& object : block.objects) {
            const Counts& w = weights_[static_cast<std::size_t>(object.image)];
            for (std::size_t a = 0; a < table_.areas; ++a) {
                if ((object.ignored >> a & 1) == 0) add(objects_[a], w);
            }
        }
    }

    // How many found of so many objects reach each recall threshold: found / objects >= threshold, as doubles.
    void find_needed(const Counts& objects) {
        const std::size_t count = input_.recall_thresholds.size();
        for (std::size_t l = 0; l < kLanes; ++l) {
            const auto whole = static_cast<double>(objects[l]);
            for (std::size_t r = 0; r < count; ++r) {
                const double threshold = input_.recall_thresholds[r];
                if (objects[l] == 0 || !(threshold <= 1)) {
                    needed_[r][l] = kNever;
                    continue;
                }
                auto need = static_cast<std::int32_t>(threshold * whole);
                while (need > 0 && static_cast<double>(need - 1) / whole >= threshold) --need;
                while (static_cast<double>(need) / whole < threshold) ++need;
                needed_[r][l] = need;
            }
            needed_[count][l] = kNever;
        }
    }

    static constexpr std::int32_t kNever = std::numeric_limits<std::int32_t>::max();

    const WeightedInput& input_;
    const TableView& table_;
    const std::vector<Block>& blocks_;
    const Loops loops_;
    std::vector<Counts> weights_;  // by image
    std::vector<Counts> objects_;  // by area range
    std::vector<Counts> plain_, running_, needed_;
    std::vector<Values> precision_;
    std::vector<Reach> reached_;
};

void check(const WeightedInput& input) {
    check_table(input.table);
    const auto places = [](std::span<const std::int32_t> values, std::size_t count, const char* name) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] >= 0 && static_cast<std::size_t>(values[i]) < count) continue;
            throw Error("column-range", std::to_string(values[i]), "a place below " + std::to_string(count))
                .at_path(name)
                .at_row(static_cast<std::int64_t>(i));
        }
    };
    if (input.table.areas > 32)
        throw Error("protocol-size", std::to_string(input.table.areas) + " area ranges", "at most 32");
    if (input.image.size() != input.table.score.size() || input.object_label.size() != input.object_image.size() ||
        input.object_ignored.size() != input.object_image.size()) {
        throw Error("column-length", "columns of different length", "one value a row");
    }
    places(input.image, input.images, "image");
    places(input.object_image, input.images, "object_image");
    places(input.object_label, input.table.labels(), "object_label");
    if (input.limits.empty() || input.recall_thresholds.empty()) {
        throw Error("protocol-size", "no limits or no recall thresholds", "at least one of each");
    }
    if (input.table.score.size() > 0x7fffffff) {
        throw Error("row-count", std::to_string(input.table.score.size()) + " detections", "below 2^31");
    }
    if (input.images == 0 || input.weights.size() % input.images != 0) {
        throw Error("weights-shape", std::to_string(input.weights.size()) + " weights", "one for each draw and image");
    }
}

// splitmix64 (Steele, Lea and Flood 2014): a bijection that scatters its input over all 64 bits.
inline std::uint64_t scatter(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// Number i of stream b: counted, not advanced, so that any part of any stream can be had alone.
inline std::uint64_t random_at(std::uint64_t seed, std::uint64_t b, std::uint64_t i) {
    return scatter(scatter(scatter(seed) ^ b) + i * 0x9e3779b97f4a7c15);
}

// High half of a 64 x 32 bit product: x scaled to [0, n). The bias, below n / 2^64, is far beneath notice.
inline std::size_t scaled(std::uint64_t x, std::uint64_t n) {
    const std::uint64_t low = (x & 0xffffffff) * n;
    return static_cast<std::size_t>(((x >> 32) * n + (low >> 32)) >> 32);
}

}  // namespace

WeightedDraws accumulate_weighted(const WeightedInput& input, int threads) {
    check(input);
    const std::size_t draws = input.weights.size() / input.images;
    const std::size_t labels = input.table.labels(), areas = input.table.areas, thresholds = input.table.thresholds;
    const std::vector<Block> blocks = make_blocks(input);
    WeightedDraws out;
    out.precision = Buffer<double>(draws * labels * areas * thresholds);
    out.recall = Buffer<double>(draws * labels * (areas + input.limits.size() - 1) * thresholds);
    const std::size_t pieces = (draws + kLanes - 1) / kLanes;
    const std::size_t workers = std::max<std::size_t>(1, std::min(thread_count(threads), pieces));
    parallel_for(workers, workers, [&](std::size_t worker) {
        Walker walker(input, blocks);
        for (std::size_t piece = worker; piece < pieces; piece += workers) {
            const std::size_t first = piece * kLanes;
            walker.run(first, std::min(kLanes, draws - first), out);
        }
    });
    return out;
}

Buffer<std::uint16_t> bootstrap_weights(std::uint64_t seed, std::size_t first, std::size_t draws, std::size_t images,
                                        int threads) {
    if (images == 0 || images > 0xffffffff)
        throw Error("image-count", std::to_string(images) + " images", "at least one");
    Buffer<std::uint16_t> weights(draws * images);
    parallel_for(draws, thread_count(threads), [&](std::size_t b) {
        std::uint16_t* row = weights.data() + b * images;
        std::fill(row, row + images, std::uint16_t{0});
        for (std::size_t i = 0; i < images; ++i) {
            std::uint16_t& count = row[scaled(random_at(seed, first + b, i), images)];
            if (count < 0xffff) ++count;  // 65,535 of the same image: it will not happen, and must not wrap
        }
    });
    return weights;
}

Buffer<std::uint8_t> coin_flips(std::uint64_t seed, std::size_t first, std::size_t draws, std::size_t images,
                                int threads) {
    Buffer<std::uint8_t> flips(draws * images);
    parallel_for(draws, thread_count(threads), [&](std::size_t b) {
        for (std::size_t i = 0; i < images; ++i) {
            flips[b * images + i] = static_cast<std::uint8_t>(random_at(~seed, first + b, i) >> 63);
        }
    });
    return flips;
}

}  // namespace rapideval::matching
