#include "matching/order.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace rapideval::matching {

namespace {

constexpr std::size_t kRadixFrom = 1500;  // below this, comparing is cheaper than clearing the bins
constexpr int kDigitBits = 11;
constexpr std::size_t kBins = std::size_t{1} << kDigitBits;

// Sorts items by their upper 32 bits, keeping the order of equal ones: three passes of counting.
void radix_sort(std::vector<std::uint64_t>& items, OrderScratch& scratch) {
    scratch.moved.resize(items.size());
    scratch.bins.assign(3 * kBins, 0);
    std::uint32_t* const bins = scratch.bins.data();
    const auto digit = [](std::uint64_t item, int pass) {
        return static_cast<std::size_t>(item >> (32 + pass * kDigitBits)) & (kBins - 1);
    };
    for (const std::uint64_t item : items) {
        for (int pass = 0; pass < 3; ++pass) ++bins[static_cast<std::size_t>(pass) * kBins + digit(item, pass)];
    }
    for (int pass = 0; pass < 3; ++pass) {
        std::uint32_t* const count = bins + static_cast<std::size_t>(pass) * kBins;
        if (count[digit(items[0], pass)] == items.size()) continue;  // all share this digit
        std::uint32_t total = 0;
        for (std::size_t b = 0; b < kBins; ++b) total += std::exchange(count[b], total);
        for (const std::uint64_t item : items) scratch.moved[count[digit(item, pass)]++] = item;
        items.swap(scratch.moved);
    }
}

}  // namespace

void rising_order(std::span<const std::uint64_t> keys, std::span<std::uint32_t> order, OrderScratch& scratch) {
    const std::size_t n = keys.size();
    if (std::is_sorted(keys.begin(), keys.end())) {
        std::iota(order.begin(), order.end(), 0u);
        return;
    }
    // The keys of one label lie in a narrow band, so the upper 32 bits of their span tell nearly all of them
    // apart: an item is those bits and the position, which makes items unique and every sort of them stable.
    const auto [low, high] = std::minmax_element(keys.begin(), keys.end());
    const std::uint64_t base = *low;
    const int width = static_cast<int>(std::bit_width(*high - base));
    const int shift = std::max(0, width - 32);
    std::vector<std::uint64_t>& items = scratch.items;
    items.resize(n);
    for (std::size_t i = 0; i < n; ++i) items[i] = ((keys[i] - base) >> shift) << 32 | i;
    if (n < kRadixFrom) {
        std::sort(items.begin(), items.end());
    } else {
        radix_sort(items, scratch);
    }
    for (std::size_t i = 0; i < n; ++i) order[i] = static_cast<std::uint32_t>(items[i]);
    if (shift == 0) return;

    // Keys that agree in those bits stand together, by position: put each such run in its true order.
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
        return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
    };
    for (std::size_t i = 0; i < n;) {
        std::size_t end = i + 1;
        while (end < n && items[end] >> 32 == items[i] >> 32) ++end;
        if (end - i > 1) {
            const auto first = order.begin() + static_cast<std::ptrdiff_t>(i);
            const auto last = order.begin() + static_cast<std::ptrdiff_t>(end);
            if (!std::is_sorted(first, last, before)) std::sort(first, last, before);
        }
        i = end;
    }
}

}  // namespace rapideval::matching
