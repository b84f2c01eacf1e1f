#include "masks/codec.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "masks/codec_sse4.hpp"
#include "masks/groups.hpp"

namespace rapideval::masks {

namespace {

constexpr std::size_t kPiece = 64;  // masks that one thread takes at a time

// Undoes the differences, and remembers whether a run ever left 0 to 2^32 - 1.
class RunSum {
  public:
    explicit RunSum(std::uint32_t* runs) : out_(runs) {}

    void add(std::int64_t value) {
        // Unsigned: garbage wraps around instead of being undefined, and has then set a bit of outside_ before.
        const std::uint64_t run = static_cast<std::uint64_t>(value) + (written_ > 2 ? before_ : 0);
        before_ = last_;
        last_ = run;
        outside_ |= run >> 32;
        sum_ += run;
        out_[written_++] = static_cast<std::uint32_t>(run);
    }

    bool sums_to(Size size) const { return outside_ == 0 && sum_ == size.pixels(); }

  private:
    std::uint32_t* out_;
    std::size_t written_ = 0;
    std::uint64_t before_ = 0, last_ = 0, outside_ = 0, sum_ = 0;
};

}  // namespace

std::size_t count_runs(std::string_view text) {
    std::size_t more = 0;
    for (const char c : text) more += (static_cast<unsigned char>(c) + 16u) >> 5 & 1u;
    return text.size() - more;
}

namespace {

bool decode_plain(std::string_view text, Size size, std::uint32_t* runs) {
    constexpr std::size_t kBlock = 64;
    RunSum sum(runs);
    std::size_t start = 0;  // of the number that is being read
    char padded[2 * kBlock];

    for (std::size_t block = 0; block < text.size(); block += kBlock) {
        // A number may begin up to kMaxGroups before its block and is loaded in 8 bytes, so the end of the text is
        // copied to where there is room.
        const std::size_t valid = std::min(kBlock, text.size() - block);
        const char* at = text.data() + block;
        std::size_t before = 0;
        if (valid < kBlock || text.size() - block < kBlock + 8) {
            before = std::min<std::size_t>(block, kMaxGroups + 1);
            std::memset(padded, '0', sizeof padded);
            std::memcpy(padded, at - before, before + valid);
            at = padded + before;
        }
        std::uint64_t ends = 0, wrong = 0;
        for (unsigned i = 0; i < kBlock / 8; ++i) {
            const std::uint64_t word = load(at + 8 * i);
            wrong |= foreign(word);
            ends |= gather(~shifted(word) >> 5) << 8 * i;
        }
        if (wrong != 0) return false;
        if (valid < kBlock) ends &= (std::uint64_t{1} << valid) - 1;
        while (ends != 0) {
            const std::size_t end = block + static_cast<unsigned>(std::countr_zero(ends)) + 1;
            ends &= ends - 1;
            if (end - start > kMaxGroups) return false;
            sum.add(
                number(shifted(load(at + (static_cast<std::ptrdiff_t>(start) - static_cast<std::ptrdiff_t>(block)))),
                       static_cast<unsigned>(end - start)));
            start = end;
        }
        if (block + valid - start > kMaxGroups) return false;
    }
    return start == text.size() && sum.sums_to(size);
}

}  // namespace

bool decode(std::string_view text, Size size, std::span<std::uint32_t> runs, Simd level) {
    if (level >= Simd::kSse4 && decode_sse4(text, size, runs)) return true;
    return decode_plain(text, size, runs.data());
}

void explain(std::string_view text, Size size) {
    const auto refuse = [](std::string found, std::string expected, std::size_t offset) {
        throw Error("rle-string", std::move(found), std::move(expected)).at_offset(static_cast<std::int64_t>(offset));
    };
    std::vector<std::uint64_t> last(3, 0);  // the runs before, the latest at the end
    std::uint64_t sum = 0;
    std::size_t start = 0, written = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < '0' || byte > 'o') {
            refuse("byte " + std::to_string(byte), "characters from '0' to 'o' only", i);
        }
        if (i - start >= kMaxGroups) refuse("a number of more than 7 characters", "runs below 2^32", start);
        if ((byte - '0') & 0x20) continue;
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + start, i + 1 - start);
        const std::int64_t value = number(shifted(word), static_cast<unsigned>(i + 1 - start));
        const std::int64_t run = value + (written > 2 ? static_cast<std::int64_t>(last[1]) : 0);
        if (run < 0 || run >> 32 != 0) refuse("a run of " + std::to_string(run), "0 to 2^32 - 1", start);
        last = {last[1], last[2], static_cast<std::uint64_t>(run)};
        sum += static_cast<std::uint64_t>(run);
        start = i + 1;
        ++written;
    }
    if (start != text.size()) refuse("a string that ends inside a number", "a last character below 'P'", start);
    throw Error("rle-sum", "runs that sum to " + std::to_string(sum),
                std::to_string(size.pixels()) + ", the pixels of " + to_string(size));
}

namespace {

// Characters for one value: the least n of which 5 n bits hold it with its sign.
unsigned groups_of(std::int64_t value) {
    const auto magnitude = static_cast<std::uint64_t>(value ^ value >> 63);
    return (static_cast<unsigned>(std::bit_width(magnitude)) + 5) / 5;
}

std::int64_t difference(Runs runs, std::size_t i) {
    return std::int64_t{runs[i]} - (i > 2 ? std::int64_t{runs[i - 2]} : 0);
}

}  // namespace

std::size_t encoded_length(Runs runs) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < runs.size(); ++i) length += groups_of(difference(runs, i));
    return length;
}

void encode(Runs runs, char* text) {
    // All groups are spread over one word; only the last few runs must not write it whole.
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::int64_t value = difference(runs, i);
        const unsigned groups = groups_of(value);
        auto x = static_cast<std::uint64_t>(value);
        x = (x & 0x0000'0000'000f'ffff) | (x << 12 & 0x000f'ffff'0000'0000);
        x = (x & 0x0000'03ff'0000'03ff) | (x << 6 & 0x03ff'0000'03ff'0000);
        x = (x & 0x001f'001f'001f'001f) | (x << 3 & 0x1f00'1f00'1f00'1f00);
        const std::uint64_t more = 0x20 * kOnes & ~(~std::uint64_t{0} << 8 * (groups - 1));
        const std::uint64_t word = (x | more) + '0' * kOnes;
        // Every run still to come takes at least one character.
        std::memcpy(text, &word, runs.size() - i >= sizeof word ? sizeof word : groups);
        text += groups;
    }
}

RaggedRuns decode_all(std::string_view text, std::span<const std::int64_t> text_offsets,
                      std::span<const std::uint32_t> sizes, std::size_t threads) {
    check_offsets(text_offsets, text.size(), "rle-offsets", "text offsets");
    const std::size_t masks = text_offsets.size() - 1;
    if (sizes.size() != 2 * masks) {
        throw Error("rle-sizes", std::to_string(sizes.size() / 2) + " sizes",
                    std::to_string(masks) + ", one for each mask");
    }
    const auto string = [&](std::size_t i) {
        return text.substr(static_cast<std::size_t>(text_offsets[i]),
                           static_cast<std::size_t>(text_offsets[i + 1] - text_offsets[i]));
    };

    RaggedRuns result;
    result.offsets.resize(masks + 1);
    parallel_rows(masks, kPiece, threads,
                  [&](std::size_t i) { result.offsets[i + 1] = static_cast<std::int64_t>(count_runs(string(i))); });
    for (std::size_t i = 0; i < masks; ++i) result.offsets[i + 1] += result.offsets[i];
    result.counts.resize(static_cast<std::size_t>(result.offsets[masks]));
    const auto runs_of = [&](std::size_t i) {
        return std::span(result.counts.data() + result.offsets[i], result.counts.data() + result.offsets[i + 1]);
    };
    parallel_rows(masks, kPiece, threads, [&](std::size_t i) {
        const Size size{sizes[2 * i], sizes[2 * i + 1]};
        check_size(size, i);
        if (decode(string(i), size, runs_of(i))) return;
        try {
            explain(string(i), size);
        } catch (Error& error) {
            error.at_row(static_cast<std::int64_t>(i));
            if (error.offset() != Error::kNone) error.at_offset(error.offset() + text_offsets[i]);
            throw;
        }
    });
    return result;
}

std::vector<std::int64_t> encoded_offsets(Runs counts, std::span<const std::int64_t> offsets, std::size_t threads) {
    check_offsets(offsets, counts.size(), "rle-offsets", "offsets");
    const MaskSet set{counts, offsets, {}};
    std::vector<std::int64_t> result(offsets.size());
    parallel_rows(set.size(), kPiece, threads,
                  [&](std::size_t i) { result[i + 1] = static_cast<std::int64_t>(encoded_length(set.runs(i))); });
    for (std::size_t i = 0; i < set.size(); ++i) result[i + 1] += result[i];
    return result;
}

void encode_all(Runs counts, std::span<const std::int64_t> offsets, std::span<const std::int64_t> text_offsets,
                char* text, std::size_t threads) {
    const MaskSet set{counts, offsets, {}};
    parallel_rows(set.size(), kPiece, threads, [&](std::size_t i) { encode(set.runs(i), text + text_offsets[i]); });
}

}  // namespace rapideval::masks
