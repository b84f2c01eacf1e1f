#include "common/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace rapideval {

std::size_t thread_count(int requested) {
    if (requested > 0) return static_cast<std::size_t>(requested);
    std::size_t count = std::max(1u, std::thread::hardware_concurrency());
    if (const char* cap = std::getenv("RAPIDEVAL_THREADS")) {
        const long value = std::strtol(cap, nullptr, 10);
        if (value > 0) count = std::min(count, static_cast<std::size_t>(value));
    }
    return count;
}

void parallel_for(std::size_t pieces, std::size_t threads, const std::function<void(std::size_t)>& work) {
    threads = std::min(threads, pieces);
    if (threads <= 1) {
        for (std::size_t i = 0; i < pieces; ++i) work(i);
        return;
    }
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::exception_ptr error;
    std::size_t error_piece = pieces;

    auto run = [&] {
        for (;;) {
            const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
            if (i >= pieces) return;
            try {
                work(i);
            } catch (...) {
                const std::lock_guard<std::mutex> lock(mutex);
                if (i < error_piece) {
                    error_piece = i;
                    error = std::current_exception();
                }
                next.store(pieces, std::memory_order_relaxed);
            }
        }
    };
    // Pieces below the failing one were handed out before it, so they finish and the lowest error wins.
    std::vector<std::thread> pool;
    pool.reserve(threads - 1);
    for (std::size_t t = 1; t < threads; ++t) {
        try {
            pool.emplace_back(run);
        } catch (const std::system_error&) {
            break;  // no more threads to be had: those that run do the work
        }
    }
    run();
    for (auto& thread : pool) thread.join();
    if (error) std::rethrow_exception(error);
}

}  // namespace rapideval
