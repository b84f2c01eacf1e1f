#include "reading/coco_reader.hpp"

#include <algorithm>

#include "reading/array_reader.hpp"

namespace rapideval::reading {

namespace {

constexpr int kLeastDepth = 8;  // what the readers of rows take apart by hand

class DocumentReader {
  public:
    DocumentReader(const Source& source, const CocoOptions& options)
        : source_(source),
          cursor_(source.text().data(), begin_document(source.text()), source.text().data() + source.text().size(),
                  std::max(options.max_depth, kLeastDepth)),
          arrays_{{options.extras, options.max_problems}, thread_count(options.threads)} {
        if (options.chunk_bytes != 0) arrays_.piece_bytes = options.chunk_bytes;
    }

    void results() {
        cursor_.skip_space();
        if (cursor_.peek() == '{') {
            throw shape("an object", "a list of results",
                        "this looks like a dataset or an answer, not like a list of results");
        }
        if (cursor_.peek() != '[') refuse_scalar("a list of results");
        rows(document.annotations, "$");
        cursor_.finish();
        settle_problems();
    }

    void dataset() {
        cursor_.skip_space();
        if (cursor_.peek() == '[') {
            throw shape("a list", "an object with images, categories and annotations",
                        "this looks like a list of results");
        }
        if (cursor_.peek() != '{') refuse_scalar("an object with images, categories and annotations");
        cursor_.enter();
        ++cursor_.p;
        cursor_.skip_space();
        Members names;
        names.open();
        if (!cursor_.take('}')) {
            do {
                const RawString raw = cursor_.member_name();
                names.add(raw);
                member(raw);
            } while (cursor_.next('}'));
        }
        if (const char* twice = names.close()) cursor_.fail_duplicate(twice);
        cursor_.leave();
        cursor_.finish();
        settle_problems();
    }

    CocoDocument document;

  private:
    Error shape(std::string found, std::string expected, std::string hint) const {
        return Error("coco-shape", std::move(found), std::move(expected))
            .at_offset(cursor_.offset(cursor_.p))
            .with_hint(std::move(hint));
    }

    [[noreturn]] void refuse_scalar(const char* expected) {
        const char* begin = cursor_.p;
        cursor_.skip_value();
        const std::string found = describe_value(begin, cursor_.p);
        cursor_.finish();
        throw Error("coco-shape", found, expected).at_offset(cursor_.offset(begin));
    }

    void member(const RawString& raw) {
        std::string name;
        const char* half = decode_string(raw, name);
        // A member that stands twice is refused at the end of the object; until then the first one counts.
        if (name == "images" && !document.images) return rows(document.images, "$.images");
        if (name == "categories" && !document.categories) return rows(document.categories, "$.categories");
        if (name == "annotations" && !document.annotations) return rows(document.annotations, "$.annotations");
        if (half)
            throw Error("json-surrogate", "half a surrogate pair in the name of a member", "whole surrogate pairs")
                .at_offset(cursor_.offset(half));
        const char* begin = cursor_.p;
        cursor_.skip_value();
        document.top.emplace_back(std::move(name), std::string(begin, cursor_.p));
    }

    template <typename Rows>
    void rows(std::optional<Rows>& rows, const char* path) {
        if (cursor_.peek() != '[') {
            const char* begin = cursor_.p;
            cursor_.skip_value();
            throw Error("coco-shape", describe_value(begin, cursor_.p), "a list").at_offset(cursor_.offset(begin));
        }
        rows.emplace();
        ArrayReader<Rows>(source_, arrays_, *rows).read(cursor_);
        for (Problem& problem : rows->problems) {
            Error error(std::move(problem.rule), std::move(problem.found), std::move(problem.expected));
            error.at_path(path + path_step(problem.row) + problem.path).at_row(static_cast<std::int64_t>(problem.row));
            error.at_offset(problem.offset).with_hint(std::move(problem.hint));
            document.problems.push_back(std::move(error));
        }
        document.problem_count += rows->problem_count;
        rows->problems.clear();
        if constexpr (requires { rows->image_id; }) check_ids(rows->image_id, path, ".image_id");
        if constexpr (requires { rows->category_id; }) check_ids(rows->category_id, path, ".category_id");
        check_ids(rows->id, path, ".id");
    }

    void check_ids(const IdColumn& ids, const char* path, const char* step) {
        if (ids.first_integer == IdColumn::kNone || ids.first_text == IdColumn::kNone) return;
        const bool text_later = ids.first_text > ids.first_integer;
        const std::size_t row = std::max(ids.first_integer, ids.first_text);
        Error error("coco-id-mixed", text_later ? "text" : "an integer",
                    text_later ? "an integer, as in the rows before" : "text, as in the rows before");
        error.at_path(path + path_step(row) + step).at_row(static_cast<std::int64_t>(row));
        document.problems.push_back(std::move(error));
        ++document.problem_count;
    }

    // Cuts the list of problems to its limit and finds their lines, in one pass over the text.
    void settle_problems() {
        std::vector<Error>& problems = document.problems;
        if (problems.size() > arrays_.rows.max_problems)
            problems.erase(problems.begin() + static_cast<std::ptrdiff_t>(arrays_.rows.max_problems), problems.end());
        const char* text = cursor_.origin();
        std::int64_t line = 1, at = 0;
        std::vector<Error*> ordered;
        for (Error& problem : problems) {
            if (problem.offset() != Error::kNone) ordered.push_back(&problem);
        }
        std::sort(ordered.begin(), ordered.end(),
                  [](const Error* a, const Error* b) { return a->offset() < b->offset(); });
        for (Error* problem : ordered) {
            line += std::count(text + at, text + problem->offset(), '\n');
            at = problem->offset();
            problem->at_line(line);
        }
    }

    const Source& source_;
    Cursor cursor_;
    ArrayOptions arrays_;
};

template <typename Work>
CocoDocument read(const Source& source, const CocoOptions& options, Work work) {
    try {
        DocumentReader reader(source, options);
        work(reader);
        return std::move(reader.document);
    } catch (Error& error) {
        add_place(error, source.text());
        throw;
    }
}

}  // namespace

CocoDocument read_results(const Source& source, const CocoOptions& options) {
    return read(source, options, [](DocumentReader& reader) { reader.results(); });
}

CocoDocument read_dataset(const Source& source, const CocoOptions& options) {
    return read(source, options, [](DocumentReader& reader) { reader.dataset(); });
}

}  // namespace rapideval::reading
