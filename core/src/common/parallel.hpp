// Spreading independent pieces of work over threads.
//
// Results must not depend on the number of threads: a piece writes only what is its own, and whoever
// joins pieces does so in their order. The first error (by piece number) is rethrown on the caller.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>

namespace rapideval {

// 0 means: as many as the machine has. RAPIDEVAL_THREADS in the environment caps it.
std::size_t thread_count(int requested);

// Calls work(i) once for every i in [0, pieces), on up to `threads` threads (the caller's is one).
// Pieces are handed out in order, one by one: make them large enough to be worth an atomic increment.
void parallel_for(std::size_t pieces, std::size_t threads, const std::function<void(std::size_t)>& work);

// Calls work(row) once for every row in [0, rows), in pieces of so many rows.
template <typename Work>
void parallel_rows(std::size_t rows, std::size_t piece, std::size_t threads, const Work& work) {
    parallel_for((rows + piece - 1) / piece, threads, [&](std::size_t number) {
        const std::size_t end = std::min(rows, (number + 1) * piece);
        for (std::size_t row = number * piece; row < end; ++row) work(row);
    });
}

}  // namespace rapideval
