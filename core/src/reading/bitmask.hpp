// Dense bitmasks in JSON text, [[0, 1, ...], ...] and stacks of them, straight into run-lengths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/cpu.hpp"
#include "common/error.hpp"
#include "reading/column.hpp"
#include "reading/json.hpp"

namespace rapideval::reading {

struct Bitmasks {
    Column<std::uint32_t> counts;
    Column<std::int64_t> offsets;  // one more than masks
    Column<std::uint32_t> sizes;   // two a mask: height, width
    int ndim = 0;
    std::int64_t offset = 0;

    std::size_t size() const { return sizes.size() / 2; }
};

struct BitmaskOptions {
    bool values_255 = false;
    std::size_t threads = 1;
    Simd level = Simd::kPlain;
};

// The value ahead (the cursor stands on its `[`) is one of
// - bitmasks: the cursor is then behind it;
// - a problem (rule M31, M33, M34, M35; path from the value on): nested lists of numbers and booleans that
// are no
//   bitmask, behind it too;
// - something else (neither is set): a list that holds more than numbers and booleans, or nothing. The cursor
// did
//   not move.
// Throws Error if the text is not JSON.
struct BitmaskValue {
    std::optional<Bitmasks> masks;
    std::optional<Error> problem;
};
BitmaskValue read_bitmask(Cursor& cursor, const BitmaskOptions& options);

}  // namespace rapideval::reading
