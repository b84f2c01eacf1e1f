// COCO results and datasets, from their text to columns.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "reading/coco_rows.hpp"
#include "reading/json.hpp"
#include "reading/source.hpp"

namespace rapideval::reading {

struct CocoOptions {
    bool extras = false;
    int threads = 0;
    std::size_t max_problems = 100;
    int max_depth = kDefaultMaxDepth;
    std::size_t chunk_bytes = 0;  // of the pieces that threads read; 0: a size that fits the cache
};

struct CocoDocument {
    std::optional<ImageRows> images;
    std::optional<CategoryRows> categories;
    std::optional<AnnotationRows> annotations;
    std::vector<std::pair<std::string, std::string>> top;  // other members: name and JSON text
    std::vector<Error> problems;                           // complete with path and line, in the order of the text
    std::size_t problem_count = 0;
};

// [{"image_id": ...}, ...]. Throws Error, with line and path, if the text is not JSON or not an array.
CocoDocument read_results(const Source& source, const CocoOptions& options);

// {"images": [...], "categories": [...], "annotations": [...], ...}
CocoDocument read_dataset(const Source& source, const CocoOptions& options);

}  // namespace rapideval::reading
