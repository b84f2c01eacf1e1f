// Rows of dense bitmasks in JSON text -> packed bits: the inner loop of reading masks.
//
// A row is taken 64 bytes at a time. Comparisons turn the bytes into one 64-bit word for each kind of
// character; from then on, everything is arithmetic on those words. A value is told by its first character
// (0, 1, t, f), and the words of all other characters must be exactly what those first characters call for:
// in `true` an r one place behind the t, a u two, and so on. Values and commas must take turns: their order,
// pulled together by PEXT, must read 0101... The same instruction pulls out the bits of the values. No byte
// is looked at by itself.
//
// Most of a mask is one value over and over. Once a block has ended with a whole value, the blocks behind it are
// compared with the text one value earlier: where they are equal, they hold that value again, and nothing else is
// asked.
//
// A row that is written in any other way that JSON allows (1e0, 0.00, -0) is not refused here but left to
// the plain reader, which reads everything and is the measure of these.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/cpu.hpp"
#include "reading/column.hpp"

namespace rapideval::reading {

// Collects the bits of one row after another, each from a new word on, column x in bit x % 64 of word x / 64.
class BitRows {
  public:
    explicit BitRows(Column<std::uint64_t>& words) : words_(words) {}

    void append(std::uint64_t bits, unsigned count) {
        if (count == 0) return;
        word_ |= bits << filled_;
        width_ += count;
        if (filled_ + count < 64) {
            filled_ += count;
            return;
        }
        words_.push_back(word_);
        const unsigned taken = 64 - filled_;
        word_ = taken < 64 ? bits >> taken : 0;
        filled_ = count - taken;
    }

    // Ends the row and returns how many values it had.
    std::size_t end_row() {
        if (filled_ != 0) words_.push_back(word_);
        const std::size_t width = width_;
        word_ = 0, filled_ = 0, width_ = 0;
        return width;
    }

  private:
    Column<std::uint64_t>& words_;
    std::uint64_t word_ = 0;
    unsigned filled_ = 0;
    std::size_t width_ = 0;
};

// Reads the values of a row; p stands behind its `[`. True: p stands on its `]`, and there was at least one
// value. False: it is not such a row, or not one for this kernel.
using RowKernel = bool (*)(const char*& p, const char* end, BitRows& rows);

// The kernel of a level, nullptr where there is none (the plain reader then does all).
RowKernel row_kernel(Simd level);

}  // namespace rapideval::reading
