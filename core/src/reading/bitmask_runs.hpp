// Packed rows of one mask -> column-major runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reading/column.hpp"

namespace rapideval::reading {

// Holds the room that making runs needs, to be used again for the next mask.
class RunMaker {
  public:
    // Appends the runs of a mask of height x width whose rows are (width + 63) / 64 words each.
    void append_runs(const std::uint64_t* rows, std::size_t height, std::size_t width, Column<std::uint32_t>& counts);

  private:
    struct Change {
        std::uint64_t columns;  // the columns of a strip that differ from the row above
        std::uint32_t row;
    };
    Column<Change> changes_;
    Column<std::uint32_t> sorted_;  // the rows at which a column changes, column after column
};

}  // namespace rapideval::reading
