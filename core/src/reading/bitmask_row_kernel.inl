// Included once for each set of instructions, inside a namespace that defines TARGET (the attribute of functions),
// Block (64 bytes: load, eq, same) and KERNEL_HAS_PEXT.

TARGET inline std::uint64_t pull(std::uint64_t bits, std::uint64_t where) {
#if KERNEL_HAS_PEXT
    return _pext_u64(bits, where);
#else
    std::uint64_t out = 0, place = 1;
    for (; where != 0; where &= where - 1, place <<= 1) {
        if ((bits & where & (~where + 1)) != 0) out |= place;
    }
    return out;
#endif
}

// The even bits of a word, put together.
TARGET inline std::uint64_t pull_even(std::uint64_t bits) {
#if KERNEL_HAS_PEXT
    return _pext_u64(bits, kEven);
#else
    bits &= kEven;
    bits = (bits | bits >> 1) & 0x3333333333333333u;
    bits = (bits | bits >> 2) & 0x0F0F0F0F0F0F0F0Fu;
    bits = (bits | bits >> 4) & 0x00FF00FF00FF00FFu;
    bits = (bits | bits >> 8) & 0x0000FFFF0000FFFFu;
    return (bits | bits >> 16) & 0x00000000FFFFFFFFu;
#endif
}

// The distance of the last two values in the `length` bytes that were read, if these end with one whole value, comma and
// space: just as many bytes, with a byte between values before them. 0 otherwise.
TARGET inline unsigned last_period(std::uint64_t starts, std::uint64_t comma, std::uint64_t between, unsigned length) {
    if (std::popcount(starts) < 2) return 0;
    const auto last = static_cast<unsigned>(63 - std::countl_zero(starts));
    const auto before = static_cast<unsigned>(63 - std::countl_zero(starts & ~(std::uint64_t{1} << last)));
    const unsigned period = last - before;
    if (length <= period) return 0;
    const unsigned begin = length - period;
    const bool one_value = last >= begin, one_comma = std::popcount(comma >> begin) == 1;
    return one_value && one_comma && (between >> (begin - 1) & 1) != 0 ? period : 0;
}

TARGET bool read_row(const char*& at, const char* end, BitRows& rows) {
    const char* p = at;
    bool value_next = true, any = false;
    char padded[64];
    // Of a value that may come again and again: the bytes up to the next one, and the value; 0 where it is not known.
    unsigned period = 0;
    bool again = false;
    for (;;) {
        if (period != 0) {
            // A block that equals what stands one period before it holds that value over and over.
            const unsigned values = 64 / period;
            const std::uint64_t bits = again ? (std::uint64_t{1} << values) - 1 : 0;
            while (end - p >= 64 && Block::same(p, p - period)) {
                rows.append(bits, values);
                p += values * period;
            }
            period = 0;
        }
        const std::ptrdiff_t left = end - p;
        Block block;
        if (left >= 64) {
            block.load(p);
        } else {
            // NUL belongs to no row, so the end of the text is met before what lies behind it.
            if (left <= 0) return false;
            std::memset(padded, 0, sizeof padded);
            std::memcpy(padded, p, static_cast<std::size_t>(left));
            block.load(padded);
        }
        const std::uint64_t close = block.eq(']');
        std::uint64_t inside = close != 0 ? (close & (~close + 1)) - 1 : ~std::uint64_t{0};
        std::uint64_t comma = block.eq(',') & inside, one = block.eq('1') & inside;
        const std::uint64_t zero = block.eq('0') & inside;
        std::uint64_t starts = one | zero, first = one;

        if ((starts | comma) == inside) {
            // Digits and commas without anything between: they take turns as even and odd places do.
            if (starts != ((value_next ? kEven : ~kEven) & inside)) return false;
            first = value_next ? pull_even(one) : pull_even(one >> 1);
            const auto values = static_cast<unsigned>(std::popcount(starts));
            rows.append(first, values);
            any |= values != 0;
            value_next = value_next == (std::popcount(inside) % 2 == 0);
            if (close == 0) {
                period = 2;
                again = (one >> 62) != 0;
            }
        } else {
            std::uint64_t space = block.eq(' ');
            if ((starts | comma | (space & inside)) != inside) space |= block.eq('\n') | block.eq('\r') | block.eq('\t');
            space &= inside;
            const std::uint64_t between = comma | space;
            if (close == 0) {
                // A value may go on behind the block: stop at the last byte between values.
                if (between == 0) return false;
                inside = ~std::uint64_t{0} >> std::countl_zero(between);
            }
            const std::uint64_t value = inside & ~between;
            if (value != (starts & inside)) {
                const std::uint64_t begins = value & ~(value << 1);
                const std::uint64_t digits = begins & starts, points = block.eq('.') & inside;
                const std::uint64_t t = begins & block.eq('t'), f = begins & block.eq('f');
                const std::uint64_t words = t | t << 1 | t << 2 | t << 3 | f | f << 1 | f << 2 | f << 3 | f << 4;
                if ((points & ~(digits << 1)) != 0 || ((points << 1) & ~zero) != 0) return false;
                if (value != (digits | points | points << 1 | words) || begins != (digits | t | f)) return false;
                if (t != 0 && (((t << 1) & ~block.eq('r')) != 0 || ((t << 2) & ~block.eq('u')) != 0)) return false;
                if (f != 0 && (((f << 1) & ~block.eq('a')) != 0 || ((f << 2) & ~block.eq('l')) != 0 ||
                               ((f << 3) & ~block.eq('s')) != 0)) {
                    return false;
                }
                if (((t << 3 | f << 4) & ~block.eq('e')) != 0) return false;
                starts = begins;
                first = (one & digits) | t;
            }
            starts &= inside;
            const std::uint64_t turns = starts | (comma & inside);
            const int count = std::popcount(turns);
            const std::uint64_t wanted = value_next ? kEven : ~kEven;
            const std::uint64_t all = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
            if (pull(starts, turns) != (wanted & all)) return false;
            rows.append(pull(first, starts), static_cast<unsigned>(std::popcount(starts)));
            any |= starts != 0;
            value_next = value_next == (count % 2 == 0);
            if (close == 0 && value_next) {
                period = last_period(starts, comma & inside, between, static_cast<unsigned>(std::popcount(inside)));
                again = period != 0 && (first >> (63 - std::countl_zero(starts)) & 1) != 0;
            }
        }
        p += std::popcount(inside);
        if (close != 0) {
            at = p;
            return any && !value_next;
        }
    }
}
