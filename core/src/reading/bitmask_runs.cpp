// The mask is not transposed. A run of a column begins where a row differs from the row above it, and two
// rows are compared 64 columns at once: most words are equal, and only the places where they are not are
// sorted into columns. The work is one XOR for 64 pixels plus a few steps for each pixel of an upper or lower
// edge.
#include "reading/bitmask_runs.hpp"

#include <algorithm>
#include <bit>

namespace rapideval::reading {

namespace {

// The runs of one mask, written as positions where the value changes_.
class RunWriter {
  public:
    explicit RunWriter(Column<std::uint32_t>& counts) : counts_(counts) {}

    void change_at(std::uint64_t position) {
        counts_.push_back(static_cast<std::uint32_t>(position - last_));
        last_ = position;
        value_ = !value_;
    }
    bool value() const { return value_; }
    void finish(std::uint64_t pixels) { counts_.push_back(static_cast<std::uint32_t>(pixels - last_)); }

  private:
    Column<std::uint32_t>& counts_;
    std::uint64_t last_ = 0;
    bool value_ = false;
};

}  // namespace

void RunMaker::append_runs(const std::uint64_t* rows, std::size_t height, std::size_t width,
                           Column<std::uint32_t>& counts) {
    const std::size_t words = (width + 63) / 64;
    RunWriter writer(counts);
    for (std::size_t strip = 0; strip < words; ++strip) {
        const std::uint64_t* word = rows + strip;
        changes_.clear();
        std::size_t starts[65] = {};
        std::uint64_t above = *word;
        for (std::size_t y = 1; y < height; ++y) {
            const std::uint64_t here = word[y * words];
            if (here == above) continue;
            changes_.push_back({here ^ above, static_cast<std::uint32_t>(y)});
            for (std::uint64_t bits = here ^ above; bits != 0; bits &= bits - 1) ++starts[std::countr_zero(bits) + 1];
            above = here;
        }
        for (std::size_t i = 0; i < 64; ++i) starts[i + 1] += starts[i];
        sorted_.clear();
        std::uint32_t* to = sorted_.extend(starts[64]);
        std::size_t next[64];
        std::copy(starts, starts + 64, next);
        for (std::size_t i = 0; i < changes_.size(); ++i) {
            const Change& change = changes_[i];
            for (std::uint64_t bits = change.columns; bits != 0; bits &= bits - 1) {
                to[next[std::countr_zero(bits)]++] = change.row;
            }
        }
        const std::size_t columns = std::min<std::size_t>(64, width - strip * 64);
        for (std::size_t column = 0; column < columns; ++column) {
            const std::uint64_t top = static_cast<std::uint64_t>(strip * 64 + column) * height;
            if ((*word >> column & 1) != writer.value()) writer.change_at(top);
            for (std::size_t i = starts[column]; i < starts[column + 1]; ++i) writer.change_at(top + to[i]);
        }
    }
    writer.finish(static_cast<std::uint64_t>(height) * width);
}

}  // namespace rapideval::reading
