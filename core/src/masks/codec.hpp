// COCO's compressed strings.
//
// Each run is written as a signed number in groups of 5 bits, least significant first, one character a group
// ('0' + bits, + 32 if more groups follow). From the fourth run on the number is the difference to the run two
// places before, so that objects with slowly changing outlines get short strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "common/cpu.hpp"
#include "masks/rle.hpp"

namespace rapideval::masks {

// Runs that a string holds: its characters that end a number. Any text may be asked.
std::size_t count_runs(std::string_view text);

// Writes the runs of one mask to `runs`, which holds count_runs(text). Returns whether the text is a sound string whose
// runs sum to the size; explain() then says what is wrong. Reads nothing beyond the text.
bool decode(std::string_view text, Size size, std::span<std::uint32_t> runs, Simd level = simd());

// Throws what decode() found wrong: "rle-string" with the byte offset in the text, or "rle-sum".
[[noreturn]] void explain(std::string_view text, Size size);

// Characters that the runs take, and the string itself (exactly that many characters).
std::size_t encoded_length(Runs runs);
void encode(Runs runs, char* text);

// The runs of many strings, mask i being text[text_offsets[i]:text_offsets[i + 1]]. Errors carry row and byte offset.
RaggedRuns decode_all(std::string_view text, std::span<const std::int64_t> text_offsets,
                      std::span<const std::uint32_t> sizes, std::size_t threads);

// Offsets of the strings of many masks, laid one after another; encode_all writes them to text, back() characters.
std::vector<std::int64_t> encoded_offsets(Runs counts, std::span<const std::int64_t> offsets, std::size_t threads);
void encode_all(Runs counts, std::span<const std::int64_t> offsets, std::span<const std::int64_t> text_offsets,
                char* text, std::size_t threads);

}  // namespace rapideval::masks
