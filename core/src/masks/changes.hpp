// Where two rows of pixels differ: the one step that both memory orders of a dense mask come down to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/cpu.hpp"

namespace rapideval::masks {

// The numbers found so far and what all pixels looked at were, or-ed together.
struct Changes {
    std::uint32_t* end;
    std::uint8_t seen = 0;
};

// Appends first + i for every i below n with above[i] != row[i]; row[i] is or-ed into seen. There must be room for n
// numbers and kChangesSlack more.
using FindChanges = void (*)(const std::uint8_t* above, const std::uint8_t* row, std::size_t n, std::uint32_t first,
                             Changes& changes);

inline constexpr std::size_t kChangesSlack = 8;

// The variant for a level; plain for levels that this build does not know.
FindChanges find_changes(Simd level);

}  // namespace rapideval::masks
