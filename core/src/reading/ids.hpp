// Looking up ids: which row of a table has this one?
#pragma once

#include <cstdint>
#include <span>

namespace rapideval::reading {

// rows[i] is the row of keys that equals values[i], or -1. Throws Error (rule duplicate-id, row) if two keys
// are equal.
void index_ids(std::span<const std::int64_t> values, std::span<const std::int64_t> keys, std::span<std::int32_t> rows,
               int threads);

}  // namespace rapideval::reading
