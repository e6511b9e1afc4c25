#include "converters/pytorch/state_dict.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "converters/tensor_names.h"
#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

using Kind = Object::Kind;

// Where checkpoints keep the network's tensors, the best first: averages over the training give
// better features than its last step. timm's order, and PyTorch's tutorial last.
constexpr std::string_view kNests[] = {
    "state_dict_ema", "model_ema", "ema", "state_dict", "model", "net", "model_state_dict"};
constexpr size_t kNestCount = std::size(kNests);
constexpr int kMaxNesting = 2;  // {"ema": {"state_dict": ...}}

constexpr std::string_view kRoute =
    "save the tensors alone: torch.save(model.state_dict(), \"weights.pt\")";

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

// Offset of the last element + 1; nothing if it overflows.
std::optional<uint64_t> extent(const Object& tensor) {
  auto end = checked_add(static_cast<uint64_t>(tensor.number), 1);
  for (size_t d = 0; d < tensor.dims.size(); ++d) {
    if (tensor.dims[d] == 0) return 0;
    const auto reach = checked_mul(static_cast<uint64_t>(tensor.dims[d] - 1),
                                   static_cast<uint64_t>(tensor.strides[d]));
    end = end && reach ? checked_add(*end, *reach) : std::nullopt;
  }
  return end;
}

// Copies in row-major order, whatever the strides.
std::vector<float> dense_copy(const Object& tensor, const uint8_t* storage, uint64_t elems) {
  const Dtype dtype = tensor.items[0]->dtype;
  const size_t width = dtype_bytes(dtype);
  std::vector<float> values(elems);
  std::vector<int64_t> index(tensor.dims.size(), 0);
  uint64_t at = static_cast<uint64_t>(tensor.number);
  for (float& value : values) {
    value = to_float(storage + at * width, dtype);
    for (size_t d = index.size(); d-- > 0;) {
      at += static_cast<uint64_t>(tensor.strides[d]);
      if (++index[d] < tensor.dims[d]) break;
      at -= static_cast<uint64_t>(tensor.strides[d]) * static_cast<uint64_t>(tensor.dims[d]);
      index[d] = 0;
    }
  }
  return values;
}

Result<NamedTensor> read_tensor(const std::string& name, const Object& tensor,
                                const StorageBytes& storage_bytes) {
  const Object& storage = *tensor.items[0];
  const auto elems = checked_product(tensor.dims);
  const auto end = extent(tensor);
  // A tensor with more elements than its storage is a broadcast view: a few bytes could claim
  // terabytes.
  if (!elems || !end || *end > static_cast<uint64_t>(storage.number) ||
      *elems > static_cast<uint64_t>(storage.number)) {
    return corrupt(concat("tensor ", quote(name), ": size ", tensor.dims, ", strides ",
                          tensor.strides, " and offset ", tensor.number,
                          " do not fit its storage of ", storage.number, " elements"));
  }
  PENULT_ASSIGN_OR_RETURN(const auto bytes, storage_bytes(storage));
  NamedTensor result;
  result.name = name;
  result.dims = tensor.dims;
  result.is_counter = !is_float(storage.dtype);
  if (!result.is_counter) result.data = dense_copy(tensor, bytes.data(), *elems);
  return result;
}

struct Chosen {
  Ref dict;
  std::string path;  // "ema.state_dict"; empty: the pickled object itself
};

bool has_tensors(const Object& dict) {
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    if (dict.items[i + 1]->kind == Kind::kTensor) return true;
  }
  return false;
}

// The dict of tensors that the first possible of kNests leads to, else `dict` itself. Of two equal
// keys the last one counts, as in Python. `seen` are those that were looked through in vain: many
// keys may lead to one large dict.
std::optional<Chosen> find_tensors(const Object& dict, int depth,
                                   std::set<std::pair<Ref, int>>& seen) {
  if (!seen.emplace(&dict, depth).second) return std::nullopt;
  std::array<Ref, kNestCount> nests{};
  bool tensors = false;
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    const Object &key = *dict.items[i], &value = *dict.items[i + 1];
    tensors = tensors || value.kind == Kind::kTensor;
    if (key.kind != Kind::kText || value.kind != Kind::kDict) continue;
    const auto* nest = std::find(std::begin(kNests), std::end(kNests), key.text);
    if (nest != std::end(kNests)) nests[nest - std::begin(kNests)] = &value;
  }
  for (size_t i = 0; i < kNestCount && depth < kMaxNesting; ++i) {
    if (nests[i] == nullptr) continue;
    if (auto inner = find_tensors(*nests[i], depth + 1, seen)) {
      inner->path = concat(kNests[i], inner->path.empty() ? "" : ".", inner->path);
      return inner;
    }
  }
  return tensors ? std::optional(Chosen{&dict, ""}) : std::nullopt;
}

Status whole_module(std::string_view where, const Object& opaque) {
  return Status(StatusCode::kFormatUnsupported,
                concat(where, " an object of ", quote(opaque_name(opaque)),
                       ", which only its own Python code could build and which is never run; ",
                       kRoute, ", or export the network: torch.onnx.export(model, ...)"));
}

// Why find_tensors found none.
Status no_tensors(const Object& root) {
  std::set<Ref> seen;  // many keys may lead to one large dict
  if (root.kind == Kind::kOpaque) return whole_module("the file holds", root);
  if (root.kind != Kind::kDict) return corrupt("the file does not hold a dict of tensors");
  if (root.items.empty()) return corrupt("the file holds no tensors");
  for (size_t i = 0; i < root.items.size(); i += 2) {
    const Object &key = *root.items[i], &value = *root.items[i + 1];
    if (value.kind == Kind::kDict && seen.insert(&value).second && has_tensors(value)) {
      std::string known;
      for (const auto nest : kNests) known += concat(known.empty() ? "" : ", ", nest);
      return Status(
          StatusCode::kFormatUnsupported,
          concat("the tensors are in the entry ", quote(key.text),
                 ", expected them in the file's dict itself or in one of ", known, "; ", kRoute));
    }
    if (value.kind == Kind::kOpaque &&
        std::find(std::begin(kNests), std::end(kNests), key.text) != std::end(kNests)) {
      return whole_module(concat("the entry ", quote(key.text), " holds"), value);
    }
  }
  return Status(StatusCode::kFormatUnsupported,
                concat("the file's dict holds no tensors, its first entry is ",
                       quote(root.items[0]->text), "; ", kRoute));
}

Status not_a_tensor(const Object& key, const Object& value) {
  return Status(
      StatusCode::kFormatUnsupported,
      concat("entry ", quote(key.text), " is ",
             value.kind == Kind::kOpaque ? concat("made by ", quote(opaque_name(value)), " and ")
                                         : std::string(),
             "not a tensor that can be read; ", kRoute));
}

}  // namespace

const std::string& storage_key(const Object& storage) { return storage.items[0]->text; }

Result<StateDict> read_state_dict(const Pickle& pickle, uint64_t file_bytes,
                                  const StorageBytes& storage_bytes, std::string format) {
  // Half precision doubles when it is widened, and a few tensors may be tied.
  const uint64_t budget = 4 * file_bytes;
  std::set<std::pair<Ref, int>> seen;
  const std::optional<Chosen> chosen =
      pickle.root->kind == Kind::kDict ? find_tensors(*pickle.root, 0, seen) : std::nullopt;
  if (!chosen) return no_tensors(*pickle.root);
  StateDict result;
  result.format = std::move(format);
  if (!chosen->path.empty()) result.format += concat(", entry ", quote(chosen->path));
  std::set<std::string> names;
  uint64_t total = 0;
  const std::vector<Ref>& items = chosen->dict->items;
  for (size_t i = 0; i < items.size(); i += 2) {
    const Object &key = *items[i], &value = *items[i + 1];
    if (key.kind != Kind::kText || value.kind != Kind::kTensor) return not_a_tensor(key, value);
    if (!names.insert(key.text).second) {
      return corrupt(concat("tensor ", quote(key.text), " occurs twice"));
    }
    PENULT_ASSIGN_OR_RETURN(NamedTensor tensor, read_tensor(key.text, value, storage_bytes));
    total += tensor.data.size() * sizeof(float);
    if (total > budget) {
      return Status(StatusCode::kLimitExceeded,
                    concat("tensor ", quote(key.text), ": with it the tensors need more than ",
                           budget, " bytes, 4 times the file's size; they share storages"));
    }
    result.tensors.push_back(std::move(tensor));
  }
  strip_prefixes(result);
  return result;
}

}  // namespace penult::converters
