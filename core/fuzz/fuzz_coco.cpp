// Any bytes as COCO results and as a dataset: read or refused, and the same however the text is cut for threads.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "reading/coco_reader.hpp"

using namespace rapideval;
using namespace rapideval::reading;

namespace {

template <typename T>
void add(std::string& to, const Column<T>& column) {
    to.append(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(T));
    to.push_back('|');
}

// Everything that was read, or the error, as bytes to compare.
template <typename Read>
std::string outcome(Read read, std::string_view text, int threads, std::size_t chunk_bytes) {
    std::string result;
    try {
        CocoOptions options;
        options.extras = true;
        options.threads = threads;
        options.chunk_bytes = chunk_bytes;
        options.max_problems = 3;
        const CocoDocument document = read(Source::borrow(text), options);
        for (const Error& problem : document.problems)
            result += problem.rule() + problem.path() + problem.found() + ' ';
        result += std::to_string(document.problem_count) + '|';
        if (document.annotations) {
            const AnnotationRows& rows = *document.annotations;
            const auto has = [&](AnnotationField field) { return (rows.any >> field & 1) != 0; };
            add(result, rows.seen), add(result, rows.extras.data), add(result, rows.extras.ends);
            if (has(kBbox)) add(result, rows.bbox);
            if (has(kScore)) add(result, rows.score);
            if (has(kArea)) add(result, rows.area);
            if (has(kImageId)) add(result, rows.image_id.values), add(result, rows.image_id.text.data);
            if (has(kId)) add(result, rows.id.values);
            if (has(kSegmentation)) {
                add(result, rows.segmentation.counts), add(result, rows.segmentation.count_ends);
                add(result, rows.segmentation.coordinates), add(result, rows.segmentation.ring_ends);
                add(result, rows.segmentation.row_ring_ends), add(result, rows.segmentation.sizes);
            }
        }
        if (document.images) {
            const ImageRows& rows = *document.images;
            add(result, rows.seen), add(result, rows.file_name.data);
            if ((rows.any >> kWidth & 1) != 0) add(result, rows.width);
        }
    } catch (const Error& error) {
        result = error.rule() + error.path() + std::to_string(error.offset()) + ' ' + std::to_string(error.line());
    }
    return result;
}

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> exact(data, data + size);  // not a byte to spare behind the end
    const std::string_view text(exact.data(), size);
    const auto results = [](const Source& source, const CocoOptions& options) { return read_results(source, options); };
    const auto dataset = [](const Source& source, const CocoOptions& options) { return read_dataset(source, options); };
    const std::size_t chunk = 1 + (size == 0 ? 0 : data[size / 2] % 61);
    check(outcome(results, text, 1, 0) == outcome(results, text, 2, chunk));
    check(outcome(dataset, text, 1, 0) == outcome(dataset, text, 2, chunk));
    return 0;
}
