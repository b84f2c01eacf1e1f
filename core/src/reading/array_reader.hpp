// A long JSON array read by several threads.
//
// The text is cut into pieces of about equal size, and each piece begins where an element seems to: at the
// `{` of a `},{`. That is a guess: the same bytes may stand inside a string or inside an element. It is
// proved later. Pieces are joined in order, and a piece counts only if the one before it, itself proved,
// ended exactly where this one began, between two elements. The first begins behind the `[`, so by induction
// all that is joined is what one pass from the start would have read. Where a guess was wrong, a slow single
// pass takes over from the last place that is certain, until it comes by a place where a later piece began.
// No text makes the whole read any byte more than a few times.
//
// Rows are read into small buffers that stay in the cache and are used again; joining appends them to the
// result and lets the pages of the text go, so memory is that of the columns.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "common/parallel.hpp"
#include "reading/row_reader.hpp"
#include "reading/source.hpp"

namespace rapideval::reading {

struct ArrayOptions {
    ReadOptions rows;
    std::size_t threads = 1;
    std::size_t piece_bytes = std::size_t{1} << 19;
};

template <typename Rows>
class ArrayReader {
  public:
    ArrayReader(const Source& source, const ArrayOptions& options, Rows& result)
        : source_(source), options_(options), result_(result) {}

    // The cursor stands on the opening bracket, and afterwards behind the closing one.
    void read(Cursor& cursor) {
        cursor.enter();
        ++cursor.p;
        cursor.skip_space();
        if (!cursor.take(']')) {
            first_ = at_ = released_ = cursor.p;
            origin_ = cursor.origin(), end_ = cursor.end;
            max_depth_ = cursor.max_depth(), depth_ = cursor.depth();
            const std::size_t pieces =
                (static_cast<std::size_t>(end_ - first_) + options_.piece_bytes - 1) / options_.piece_bytes;
            if (options_.threads > 1 && pieces > 1) {
                read_pieces(pieces);
            } else {
                read_on(false, 0, 0);
            }
            cursor.p = at_;
        }
        cursor.leave();
    }

  private:
    enum class State { border, closed, failed };

    struct Piece {
        const char *begin = nullptr, *stop = nullptr;
        State state = State::failed;
        bool after_value = false;  // failed behind an element, not in one
        std::unique_ptr<RowReader<Rows>> reader;
    };

    // Where the first element that begins in piece i seems to begin, or nullptr.
    const char* guess(std::size_t i) const {
        if (i == 0) return first_;
        const char* from = first_ + i * options_.piece_bytes;
        const char* to =
            std::min(end_, from + std::min<std::size_t>(options_.piece_bytes, static_cast<std::size_t>(end_ - from)));
        for (const char* p = from; p < to; ++p) {
            p = static_cast<const char*>(std::memchr(p, '}', static_cast<std::size_t>(to - p)));
            if (!p) return nullptr;
            const char* q = skip_spaces(p + 1, end_);
            if (q == end_ || *q != ',') continue;
            q = skip_spaces(q + 1, end_);
            if (q != end_ && *q == '{') return q < to ? q : nullptr;
        }
        return nullptr;
    }

    const char* next_guess(std::size_t i, std::size_t pieces) const {
        while (++i < pieces) {
            if (const char* begin = guess(i)) return begin;
        }
        return end_;
    }

    // Reads from piece.begin up to `limit` and never beyond.
    void read_piece(Piece& piece, const char* limit) const {
        Cursor cursor(origin_, piece.begin, limit, max_depth_, depth_);
        piece.stop = piece.begin;
        try {
            for (;;) {
                piece.reader->read(cursor);
                piece.stop = cursor.p;
                piece.after_value = true;
                if (!cursor.next(']')) {
                    piece.state = State::closed;
                    piece.stop = cursor.p;
                    return;
                }
                piece.after_value = false;
                piece.stop = cursor.p;
                if (cursor.p == limit && limit != end_) {
                    piece.state = State::border;
                    return;
                }
            }
        } catch (const Error&) {
            piece.state = State::failed;  // it is met again, and thrown, if the piece turns out to count
        }
    }

    // Joins what was read up to `stop`.
    void join(RowReader<Rows>& reader, const char* stop) {
        result_.append(reader.rows, options_.rows.max_problems);
        reader.rows.clear();
        source_.release(released_, stop);
        released_ = at_ = stop;
    }

    // One pass from at_ on, until the array is closed (true), or a piece from `next` on begins where it
    // stands.
    bool read_on(bool after_value, std::size_t next, std::size_t pieces) {
        RowReader<Rows> reader(options_.rows);
        Cursor cursor(origin_, at_, end_, max_depth_, depth_);
        const char* begin = next < pieces ? guess(next) : nullptr;
        bool open = !after_value || cursor.next(']');
        while (open) {
            while (next < pieces && (!begin || begin < cursor.p)) begin = ++next < pieces ? guess(next) : nullptr;
            if (next < pieces && begin == cursor.p) {
                join(reader, cursor.p);
                return false;
            }
            reader.read(cursor);
            open = cursor.next(']');
            if (static_cast<std::size_t>(cursor.p - at_) >= options_.piece_bytes) join(reader, cursor.p);
        }
        join(reader, cursor.p);
        return true;
    }

    void read_pieces(std::size_t pieces) {
        const std::size_t threads = std::min(options_.threads, pieces);
        for (std::size_t i = 0; i < 2 * threads; ++i) idle_.push_back(std::make_unique<RowReader<Rows>>(options_.rows));
        parallel_for(threads, threads, [&](std::size_t) {
            try {
                work(pieces);
            } catch (...) {
                const std::scoped_lock lock(mutex_);
                if (!error_) error_ = std::current_exception();
                changed_.notify_all();
            }
        });
        if (error_) std::rethrow_exception(error_);
        // What seemed to close the array did not, and the pieces behind it were never read.
        if (!closed_) read_on(false, pieces, pieces);
    }

    void work(std::size_t pieces) {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return finished(pieces) || !idle_.empty(); });
            if (finished(pieces)) return;
            const std::size_t i = handed_out_++;
            Piece piece;
            piece.reader = std::move(idle_.back());
            idle_.pop_back();
            lock.unlock();
            piece.begin = guess(i);
            if (piece.begin) read_piece(piece, next_guess(i, pieces));
            lock.lock();
            if (piece.begin && piece.state == State::closed) last_ = std::min(last_, i + 1);
            waiting_.emplace(i, std::move(piece));
            if (!joining_) join_waiting(lock, pieces);
        }
    }

    bool finished(std::size_t pieces) const { return closed_ || error_ || handed_out_ >= std::min(pieces, last_); }

    // Joins all pieces whose turn has come. One thread at a time does this; the lock is let go while it
    // copies.
    void join_waiting(std::unique_lock<std::mutex>& lock, std::size_t pieces) {
        joining_ = true;
        while (!closed_ && !error_) {
            const auto found = waiting_.find(joined_);
            if (found == waiting_.end()) break;
            Piece piece = std::move(found->second);
            waiting_.erase(found);
            lock.unlock();
            bool closed = false;
            std::exception_ptr error;
            std::size_t next = joined_ + 1;
            try {
                closed = take_over(piece, next, pieces);
            } catch (...) {
                error = std::current_exception();
            }
            piece.reader->rows.clear();
            lock.lock();
            idle_.push_back(std::move(piece.reader));
            joined_ = joined_ + 1;
            closed_ = closed;
            if (!error_) error_ = error;
            changed_.notify_all();
        }
        joining_ = false;
    }

    // Joins one piece, if it counts. Returns whether the array is closed.
    bool take_over(Piece& piece, std::size_t next, std::size_t pieces) {
        if (piece.begin != at_) return false;  // no element begins in it, or the single pass has read it already
        const bool closed = piece.state == State::closed;
        join(*piece.reader, piece.stop);
        if (piece.state != State::failed) return closed;
        return read_on(piece.after_value, next, pieces);
    }

    const Source& source_;
    const ArrayOptions& options_;
    Rows& result_;

    const char *origin_ = nullptr, *first_ = nullptr, *end_ = nullptr;
    const char* at_ = nullptr;  // up to here the text is read and joined
    const char* released_ = nullptr;
    int depth_ = 0, max_depth_ = 0;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<RowReader<Rows>>> idle_;
    std::map<std::size_t, Piece> waiting_;
    std::size_t handed_out_ = 0, joined_ = 0;
    std::size_t last_ =
        static_cast<std::size_t>(-1);  // pieces from here on lie behind what closed the array, as it seems
    bool joining_ = false, closed_ = false;
    std::exception_ptr error_;
};

}  // namespace rapideval::reading
