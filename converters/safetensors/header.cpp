#include "converters/safetensors/header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

constexpr size_t kMaxTensors = 65'536, kMaxRank = 8;

struct DtypeName {
  const char* name;
  Dtype dtype;
};

constexpr DtypeName kDtypes[] = {
    {"F64", Dtype::kFloat64},   {"F32", Dtype::kFloat32}, {"F16", Dtype::kFloat16},
    {"BF16", Dtype::kBfloat16}, {"I64", Dtype::kInt64},   {"I32", Dtype::kInt32},
    {"I16", Dtype::kInt16},     {"I8", Dtype::kInt8},     {"U64", Dtype::kUint64},
    {"U32", Dtype::kUint32},    {"U16", Dtype::kUint16},  {"U8", Dtype::kUint8},
    {"BOOL", Dtype::kBool},
};

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, "header: " + std::move(message));
}

// Takes the header's values as they are parsed, so that no file can make us build a tree of them or
// go deeper than a header does. Each function returns false at the first that does not belong
// there.
class Handler {
 public:
  using Json = nlohmann::json;

  // Why parsing ended early.
  const Status& status() const { return status_; }
  std::vector<TensorEntry> take() { return std::move(entries_); }

  bool start_object(size_t) {
    if (where_ == Where::kFile) return go(Where::kTensors);
    if (where_ == Where::kName) {
      fields_.clear();
      return go(is_metadata_ ? Where::kMetadata : Where::kTensor);
    }
    return unexpected("an object");
  }
  bool key(std::string& name) {
    if (where_ == Where::kTensors) return start_tensor(name);
    if (!fields_.insert(name).second) return refuse(concat("has ", quote(name), " twice"));
    field_ = name;
    if (where_ == Where::kMetadata) return true;
    const bool known = name == "dtype" || name == "shape" || name == "data_offsets";
    return known ? go(Where::kField) : refuse(concat("has ", quote(name), ", which is not known"));
  }
  bool end_object() {
    if (where_ == Where::kTensors) return go(Where::kEnd);
    if (where_ == Where::kTensor) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!fields_.contains(field)) return refuse(concat("has no ", quote(field)));
      }
    }
    return go(Where::kTensors);
  }
  bool string(std::string& text) {
    if (where_ == Where::kMetadata) return field_ != "format" || check_framework(text);
    if (where_ != Where::kField || field_ != "dtype") return unexpected("text");
    for (const DtypeName& row : kDtypes) {
      if (text != row.name) continue;
      entries_.back().dtype = row.dtype;
      return go(Where::kTensor);
    }
    status_ = Status(StatusCode::kFormatUnsupported,
                     concat("tensor ", quote(entries_.back().name), " has dtype ", quote(text),
                            ", expected F64, F32, F16, BF16 or integers; convert it to float32: "
                            "save_file({k: v.float() if v.is_floating_point() else v for k, v in "
                            "load_file(FILE).items()}, OTHER)"));
    return false;
  }
  bool start_array(size_t) {
    if (where_ != Where::kField || field_ == "dtype") return unexpected("a list");
    numbers_.clear();
    return go(Where::kNumbers);
  }
  bool number_unsigned(Json::number_unsigned_t number) {
    if (where_ != Where::kNumbers) return unexpected("a number");
    if (number > INT64_MAX) return refuse(concat("has the number ", number, " in ", quote(field_)));
    numbers_.push_back(static_cast<int64_t>(number));
    if (numbers_.size() <= kMaxRank) return true;
    status_ = Status(StatusCode::kLimitExceeded,
                     concat("tensor ", quote(entries_.back().name), ": ", quote(field_),
                            " has more than ", kMaxRank, " numbers"));
    return false;
  }
  bool end_array() {
    TensorEntry& entry = entries_.back();
    if (field_ == "shape") {
      entry.dims = numbers_;
      return go(Where::kTensor);
    }
    if (numbers_.size() != 2) return refuse("has data_offsets that are not two numbers");
    entry.begin = static_cast<uint64_t>(numbers_[0]);
    entry.end = static_cast<uint64_t>(numbers_[1]);
    return go(Where::kTensor);
  }

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a truth value"); }
  bool number_integer(Json::number_integer_t) { return unexpected("a number below 0"); }
  bool number_float(Json::number_float_t, const std::string&) {
    return unexpected("a number that is not whole");
  }
  bool binary(Json::binary_t&) { return unexpected("bytes"); }
  bool parse_error(size_t position, const std::string&, const Json::exception&) {
    status_ = corrupt(concat("no JSON at its byte ", position, "; is the file damaged?"));
    return false;
  }

 private:
  // What comes next.
  enum class Where { kFile, kTensors, kName, kMetadata, kTensor, kField, kNumbers, kEnd };

  bool go(Where where) {
    where_ = where;
    return true;
  }
  bool refuse(const std::string& what) {
    if (entries_.empty() || is_metadata_) {
      status_ = corrupt(concat(is_metadata_ ? "its \"__metadata__\" " : "it ", what));
    } else {
      status_ = corrupt(concat("tensor ", quote(entries_.back().name), " ", what));
    }
    return false;
  }
  // Other frameworks lay out the same shapes differently; nothing else of the metadata is used.
  bool check_framework(const std::string& name) {
    if (name != "mlx" && name != "tf" && name != "flax") return true;
    status_ = Status(StatusCode::kFormatUnsupported,
                     concat("header: the metadata says that the file is of ", quote(name),
                            ", which keeps the weights of convolutions in another order of "
                            "dimensions; save the PyTorch model's: "
                            "safetensors.torch.save_file(model.state_dict(), FILE)"));
    return false;
  }
  bool unexpected(const char* what) {
    return refuse(concat("has ", what, where_ == Where::kField ? " as " + quote(field_) : "",
                         ", where the format has none"));
  }
  bool start_tensor(const std::string& name) {
    is_metadata_ = name == "__metadata__";
    if (!names_.insert(name).second) {
      status_ = corrupt(concat("tensor ", quote(name), " occurs twice"));
      return false;
    }
    if (is_metadata_) return go(Where::kName);
    if (entries_.size() == kMaxTensors) {
      status_ =
          Status(StatusCode::kLimitExceeded, concat("header: more than ", kMaxTensors, " tensors"));
      return false;
    }
    entries_.emplace_back().name = name;
    return go(Where::kName);
  }

  Where where_ = Where::kFile;
  Status status_;
  bool is_metadata_ = false;
  std::string field_;
  std::vector<int64_t> numbers_;
  std::set<std::string> names_, fields_;
  std::vector<TensorEntry> entries_;
};

}  // namespace

Result<std::vector<TensorEntry>> read_header(std::span<const uint8_t> json) {
  if (json.empty() || json.front() != '{') return corrupt("it does not start with \"{\"");
  // The parser takes a zero for the end of the text.
  if (std::find(json.begin(), json.end(), 0) != json.end()) {
    return corrupt("it holds a zero byte; is the file damaged?");
  }
  Handler handler;
  const bool parsed = nlohmann::json::sax_parse(json.begin(), json.end(), &handler);
  if (!handler.status().ok()) return handler.status();
  if (!parsed) return corrupt("no JSON");
  return handler.take();
}

Status check_layout(std::span<const TensorEntry> entries, uint64_t data_bytes) {
  std::vector<const TensorEntry*> order;
  for (const TensorEntry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const TensorEntry* a, const TensorEntry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  uint64_t at = 0;
  for (const TensorEntry* entry : order) {
    const auto elems = checked_product(entry->dims);
    const auto bytes = elems ? checked_mul(*elems, dtype_bytes(entry->dtype)) : std::nullopt;
    if (!bytes || entry->end < entry->begin || entry->end - entry->begin != *bytes) {
      return corrupt(concat("tensor ", quote(entry->name), " of ", dtype_name(entry->dtype),
                            " and shape ", entry->dims, " lies at bytes ", entry->begin, " to ",
                            entry->end, ", which is not its size"));
    }
    if (entry->begin != at) {
      return corrupt(concat("tensor ", quote(entry->name), " starts at byte ", entry->begin,
                            " of the data, expected ", at));
    }
    at = entry->end;
  }
  if (at == data_bytes) return {};
  return corrupt(concat("the tensors end at byte ", at, " of the data, the file has ", data_bytes,
                        "; is it whole?"));
}

}  // namespace penult::converters
