// The scanner of answers: JSON text -> a light tree of Python objects in which dense bitmasks are
// run-lengths.
#include <nanobind/nanobind.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bindings/columns.hpp"
#include "bindings/errors.hpp"
#include "bindings/module.hpp"
#include "bindings/source.hpp"
#include "common/cpu.hpp"
#include "common/parallel.hpp"
#include "reading/bitmask.hpp"
#include "reading/integers.hpp"
#include "reading/json.hpp"

namespace rapideval::bindings {

namespace {

using namespace rapideval::reading;

// --- layers of text ------------------------------------------------------------------------------------

// A document, or one inside a string of another. It knows where its bytes stand in the outermost text.
class Layer {
  public:
    explicit Layer(nb::handle buffer) : root_(std::make_unique<PythonSource>(buffer)) { text_ = root_->text(); }

    Layer(std::shared_ptr<const Layer> parent, const RawString& raw) : parent_(std::move(parent)), raw_(raw) {
        if (!raw.escaped) {
            text_ = raw.view();
            return;
        }
        // What is decoded is never longer than what is written.
        char* out = decoded_.extend(raw.view().size() + 1);
        std::string piece;
        std::size_t size = 0;
        for_each_piece([&](const char* begin, const char* end, bool escape) {
            if (!escape) {
                std::memcpy(out + size, begin, static_cast<std::size_t>(end - begin));
                size += static_cast<std::size_t>(end - begin);
                return true;
            }
            piece.clear();
            if (decode_string({begin, end, true}, piece)) {
                throw Error("json-surrogate", "half a surrogate pair in a string", "whole surrogate pairs")
                    .at_offset(parent_->outermost(begin));
            }
            std::memcpy(out + size, piece.data(), piece.size());
            size += piece.size();
            return true;
        });
        text_ = {out, size};
    }

    std::string_view text() const { return text_; }

    // Where a byte of this text stands in the outermost one.
    std::int64_t outermost(const char* p) const {
        if (!parent_) return p - text_.data();
        if (!raw_.escaped) return parent_->outermost(p);
        auto left = static_cast<std::size_t>(p - text_.data());
        const char* at = raw_.end;
        std::string piece;
        for_each_piece([&](const char* begin, const char* end, bool escape) {
            auto size = static_cast<std::size_t>(end - begin);
            if (escape) {
                piece.clear();
                decode_string({begin, end, true}, piece);
                size = piece.size();
            }
            if (left < size) {
                at = escape ? begin : begin + left;
                return false;
            }
            left -= size;
            return true;
        });
        return parent_->outermost(at);
    }

    std::string_view outermost_text() const { return parent_ ? parent_->outermost_text() : text_; }

  private:
    // Calls visit(begin, end, escape) for each escape (a surrogate pair is one) and what stands between them.
    template <typename Visit>
    void for_each_piece(Visit visit) const {
        const char* p = raw_.begin;
        while (p < raw_.end) {
            const auto* slash = static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(raw_.end - p)));
            if (!slash) slash = raw_.end;
            if (slash != p && !visit(p, slash, false)) return;
            if (slash == raw_.end) return;
            p = slash + (slash[1] == 'u' ? 6 : 2);
            const bool high = slash[1] == 'u' && (slash[2] == 'd' || slash[2] == 'D') &&
                              std::string_view("89abAB").find(slash[3]) != std::string_view::npos;
            if (high && raw_.end - p >= 6 && p[0] == '\\' && p[1] == 'u') p += 6;
            if (!visit(slash, p, true)) return;
        }
    }

    std::unique_ptr<PythonSource> root_;
    std::shared_ptr<const Layer> parent_;
    RawString raw_{};
    Column<char> decoded_;
    std::string_view text_;
};

// --- what stands in the tree ---------------------------------------------------------------------------

struct BitmaskArray {
    nb::object counts, offsets, sizes;
    std::size_t size;
    int ndim;
    std::int64_t offset;
};

struct JsonText {
    std::shared_ptr<const Layer> layer;
    RawString raw;
};

nb::object python_text(const Layer& layer, const RawString& raw) {
    std::string decoded;
    if (raw.escaped) {
        if (const char* half = decode_string(raw, decoded)) {
            throw Error("json-surrogate", "half a surrogate pair in a string", "whole surrogate pairs")
                .at_offset(layer.outermost(half));
        }
    }
    const std::string_view text = raw.escaped ? std::string_view(decoded) : raw.view();
    return nb::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "strict"));
}

struct ScanOptions {
    std::set<std::string, std::less<>> bitmask_keys, other_keys;
    bool any_key, values_255;
    std::size_t min_text;
    int max_depth;
    BitmaskOptions bitmask;
};

// --- the scan ------------------------------------------------------------------------------------------

class Scanner {
  public:
    Scanner(std::shared_ptr<const Layer> layer, const char* begin, const ScanOptions& options)
        : layer_(std::move(layer)),
          text_(layer_->text()),
          cursor_(text_.data(), begin, text_.data() + text_.size(), options.max_depth),
          options_(options) {}

    nb::object document(bool root_is_bitmask) {
        cursor_.skip_space();
        nb::object result = value(root_is_bitmask ? Context::bitmask : Context::plain, 0);
        cursor_.finish();
        return result;
    }

  private:
    enum class Context { plain, bitmask, maybe };

    // Lists within lists that are looked through for bitmasks.
    static constexpr int kMaxLists = 4;
    static constexpr std::size_t kMaxDigits = 4300;  // as Python limits what int() takes

    nb::object value(Context context, int lists) {
        switch (cursor_.peek()) {
            case '{':
                return object();
            case '[':
                return list(context, lists);
            case '"':
                return string();
            case 't':
                cursor_.skip_value();
                return nb::bool_(true);
            case 'f':
                cursor_.skip_value();
                return nb::bool_(false);
            case 'n':
                cursor_.skip_value();
                return nb::none();
            default:
                return number();
        }
    }

    Context context_of(std::string_view key) const {
        if (options_.bitmask_keys.contains(key)) return Context::bitmask;
        return options_.any_key && !options_.other_keys.contains(key) ? Context::maybe : Context::plain;
    }

    nb::object object() {
        nb::dict result;
        cursor_.enter();
        ++cursor_.p;
        cursor_.skip_space();
        if (!cursor_.take('}')) {
            do {
                const char* name_at = cursor_.p;
                const RawString raw = cursor_.member_name();
                const nb::object name = python_text(*layer_, raw);
                if (!name.is_valid()) throw nb::python_error();
                const int twice = PyDict_Contains(result.ptr(), name.ptr());
                if (twice < 0) throw nb::python_error();
                if (twice) cursor_.fail_duplicate(name_at);
                Context context = Context::plain;
                const char c = cursor_.peek();
                if (c == '[') {
                    std::string decoded;
                    decode_string(raw, decoded);
                    context = context_of(decoded);
                }
                const nb::object item = value(context, 0);
                if (PyDict_SetItem(result.ptr(), name.ptr(), item.ptr()) != 0) throw nb::python_error();
            } while (cursor_.next('}'));
        }
        cursor_.leave();
        return result;
    }

    nb::object list(Context context, int lists) {
        if (context != Context::plain && lists < kMaxLists) {
            const char* begin = cursor_.p;
            BitmaskValue found;
            if (cursor_.end - cursor_.p > (1 << 16)) {
                const nb::gil_scoped_release release;
                found = read_bitmask(cursor_, options_.bitmask);
            } else {
                found = read_bitmask(cursor_, options_.bitmask);
            }
            if (found.masks) return bitmask_array(*found.masks, begin);
            if (found.problem && context == Context::bitmask) return problem(*found.problem);
            if (found.problem) {
                cursor_.p = begin;
                context = Context::plain;
            }
        }
        nb::list result;
        cursor_.enter();
        ++cursor_.p;
        cursor_.skip_space();
        if (!cursor_.take(']')) {
            do {
                const nb::object item = value(context, lists + 1);
                if (PyList_Append(result.ptr(), item.ptr()) != 0) throw nb::python_error();
            } while (cursor_.next(']'));
        }
        cursor_.leave();
        return result;
    }

    nb::object bitmask_array(Bitmasks& masks, const char* begin) {
        BitmaskArray result;
        result.size = masks.size();
        result.counts = array(masks.counts);
        result.offsets = array(masks.offsets);
        result.sizes = array(masks.sizes, {result.size, 2});
        result.ndim = masks.ndim;
        result.offset = layer_->outermost(begin);
        return nb::cast(std::move(result));
    }

    nb::object problem(Error& error) {
        const char* at = text_.data() + error.offset();
        error.at_offset(layer_->outermost(at));
        const std::string_view all = layer_->outermost_text();
        error.at_line(1 + std::count(all.begin(), all.begin() + error.offset(), '\n'));
        return to_python(error);
    }

    nb::object string() {
        const RawString raw = cursor_.string();
        if (raw.view().size() >= options_.min_text && holds_json(raw)) return nb::cast(JsonText{layer_, raw});
        nb::object result = python_text(*layer_, raw);
        if (!result.is_valid()) throw nb::python_error();
        return result;
    }

    static bool holds_json(const RawString& raw) {
        const char* p = raw.begin;
        while (p < raw.end) {
            if (is_space(*p)) {
                ++p;
            } else if (*p == '\\' && (p[1] == 'n' || p[1] == 'r' || p[1] == 't')) {
                p += 2;
            } else {
                return *p == '[' || *p == '{';
            }
        }
        return false;
    }

    nb::object number() {
        const char* begin = cursor_.p;
        std::int64_t integer;
        if (number_ahead(cursor_) && take_common_integer(cursor_, integer)) return nb::int_(integer);
        Number parts;
        const char* p = begin;
        if (!number_ahead(cursor_)) cursor_.fail(begin, "a value");
        if (scan_number(p, cursor_.end, parts) == NumberStatus::ok && parts.whole) {
            cursor_.p = p;
            if (to_integer(parts, begin, p, integer)) return nb::int_(integer);
            if (static_cast<std::size_t>(p - begin) > kMaxDigits) {
                throw Error("json-syntax", "an integer of " + std::to_string(p - begin) + " digits", "at most 4,300")
                    .at_offset(cursor_.offset(begin));
            }
            nb::object result = nb::steal(PyLong_FromString(std::string(begin, p).c_str(), nullptr, 10));
            if (!result.is_valid()) throw nb::python_error();
            return result;
        }
        return nb::float_(cursor_.number());
    }

    std::shared_ptr<const Layer> layer_;
    std::string_view text_;
    Cursor cursor_;
    const ScanOptions& options_;
};

nb::object scan(const std::shared_ptr<const Layer>& layer, bool root_is_bitmask, bool outermost,
                const ScanOptions& options) {
    const std::string_view text = layer->text();
    try {
        const char* begin = outermost ? begin_document(text) : text.data();
        return Scanner(layer, begin, options).document(root_is_bitmask);
    } catch (Error& error) {
        if (error.offset() != Error::kNone && error.rule() != "json-surrogate") {
            add_place(error, text);
            if (!outermost) {
                error.at_offset(layer->outermost(text.data() + error.offset()));
                const std::string_view all = layer->outermost_text();
                error.at_line(1 + std::count(all.begin(), all.begin() + error.offset(), '\n'));
            }
        } else if (error.offset() != Error::kNone) {
            add_place(error, layer->outermost_text());
        }
        throw;
    }
}

// --- options -------------------------------------------------------------------------------------------

struct NamedLevel {
    const char* name;
    Simd level;
};

#if RAPIDEVAL_X86
constexpr NamedLevel kLevels[] = {{"plain", Simd::kPlain}, {"sse2", Simd::kSse2}, {"avx2", Simd::kAvx2}};
Simd best_level() { return simd(); }
#elif defined(__aarch64__) || defined(_M_ARM64)
constexpr NamedLevel kLevels[] = {{"plain", Simd::kPlain}, {"neon", Simd::kSse2}};
Simd best_level() { return Simd::kSse2; }
#else
constexpr NamedLevel kLevels[] = {{"plain", Simd::kPlain}};
Simd best_level() { return Simd::kPlain; }
#endif

Simd level_of(const std::string& name) {
    if (name == "auto") return best_level();
    for (const NamedLevel& level : kLevels) {
        if (name == level.name && level.level <= best_level()) return level.level;
    }
    throw nb::value_error("this machine has no such level: see simd_levels()");
}

nb::list simd_levels() {
    nb::list result;
    for (const NamedLevel& level : kLevels) {
        if (level.level <= best_level()) result.append(level.name);
    }
    return result;
}

std::set<std::string, std::less<>> names(nb::handle keys, std::initializer_list<const char*> otherwise) {
    std::set<std::string, std::less<>> result;
    if (keys.is_none()) {
        result.insert(otherwise.begin(), otherwise.end());
    } else {
        for (nb::handle key : keys) result.insert(nb::cast<std::string>(key));
    }
    return result;
}

ScanOptions scan_options(nb::handle bitmask_keys, bool any_key, nb::handle other_keys, bool values_255,
                         std::int64_t min_text, int max_depth, int threads, const std::string& level) {
    if (min_text < 0 || max_depth < 1 || max_depth > 1000)
        throw nb::value_error("min_text is not negative, max_depth is 1 to 1000");
    return {names(bitmask_keys, {"masks", "semantic_segmentation_mask"}),
            names(other_keys, {"boxes", "scores", "labels"}),
            any_key,
            values_255,
            static_cast<std::size_t>(min_text),
            max_depth,
            {values_255, thread_count(threads), level_of(level)}};
}

nb::object scan_payload(nb::object text, nb::object bitmask_keys, bool root_is_bitmask, bool any_key,
                        nb::object other_keys, bool values_255, std::int64_t min_text, int max_depth, int threads,
                        const std::string& level) {
    const ScanOptions options =
        scan_options(bitmask_keys, any_key, other_keys, values_255, min_text, max_depth, threads, level);
    if (PyUnicode_Check(text.ptr())) throw nb::type_error("scan_payload takes bytes: encode the text as UTF-8");
    return scan(std::make_shared<Layer>(text), root_is_bitmask, true, options);
}

nb::object scan_text(const JsonText& self, nb::object bitmask_keys, bool root_is_bitmask, bool any_key,
                     nb::object other_keys, bool values_255, std::int64_t min_text, int max_depth, int threads,
                     const std::string& level) {
    const ScanOptions options =
        scan_options(bitmask_keys, any_key, other_keys, values_255, min_text, max_depth, threads, level);
    std::shared_ptr<const Layer> layer;
    try {
        layer = std::make_shared<Layer>(self.layer, self.raw);
    } catch (Error& error) {
        add_place(error, self.layer->outermost_text());
        throw;
    }
    return scan(layer, root_is_bitmask, false, options);
}

}  // namespace

void bind_payload(nb::module_& m) {
    nb::class_<BitmaskArray>(m, "BitmaskArray")
        .def_ro("counts", &BitmaskArray::counts)
        .def_ro("offsets", &BitmaskArray::offsets)
        .def_ro("sizes", &BitmaskArray::sizes)
        .def_ro("ndim", &BitmaskArray::ndim)
        .def_ro("offset", &BitmaskArray::offset)
        .def("__len__", [](const BitmaskArray& self) { return self.size; });
    nb::class_<JsonText>(m, "JsonText")
        .def_prop_ro("offset", [](const JsonText& self) { return self.layer->outermost(self.raw.begin - 1); })
        .def("__len__", [](const JsonText& self) { return self.raw.view().size(); })
        .def("__str__",
             [](const JsonText& self) {
                 nb::object text = python_text(*self.layer, self.raw);
                 if (!text.is_valid()) throw nb::python_error();
                 return text;
             })
        .def("scan", &scan_text, nb::arg("bitmask_keys") = nb::none(), nb::kw_only(),
             nb::arg("root_is_bitmask") = false, nb::arg("any_key") = false, nb::arg("other_keys") = nb::none(),
             nb::arg("values_255") = false, nb::arg("min_text") = 1024, nb::arg("max_depth") = kDefaultMaxDepth,
             nb::arg("threads") = 0, nb::arg("level") = "auto");
    m.def("scan_payload", &scan_payload, nb::arg("text"), nb::arg("bitmask_keys") = nb::none(), nb::kw_only(),
          nb::arg("root_is_bitmask") = false, nb::arg("any_key") = false, nb::arg("other_keys") = nb::none(),
          nb::arg("values_255") = false, nb::arg("min_text") = 1024, nb::arg("max_depth") = kDefaultMaxDepth,
          nb::arg("threads") = 0, nb::arg("level") = "auto");
    m.def("simd_levels", &simd_levels);
}

}  // namespace rapideval::bindings
