#include "converters/pytorch/state_dict.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

using Kind = Object::Kind;

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

float from_half(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

template <typename T>
T load(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

float element(const uint8_t* from, Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return load<float>(from);
    case Dtype::kFloat64:
      return static_cast<float>(load<double>(from));
    case Dtype::kFloat16:
      return from_half(load<uint16_t>(from));
    case Dtype::kBfloat16:
      return std::bit_cast<float>(static_cast<uint32_t>(load<uint16_t>(from)) << 16);
    default:
      return 0;  // integers are counters: their numbers are not used
  }
}

bool is_float(Dtype dtype) {
  return dtype == Dtype::kFloat32 || dtype == Dtype::kFloat64 || dtype == Dtype::kFloat16 ||
         dtype == Dtype::kBfloat16;
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
    value = element(storage + at * width, dtype);
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

// The dict that holds the tensors: the root, or the value of a well-known key.
Result<Ref> find_tensors(Ref root) {
  if (root->kind != Kind::kDict) return corrupt("the file does not hold a dict of tensors");
  for (size_t i = 0; i < root->items.size(); i += 2) {
    const Object &key = *root->items[i], &value = *root->items[i + 1];
    const bool known = key.kind == Kind::kText && (key.text == "state_dict" || key.text == "model");
    if (known && value.kind == Kind::kDict) return Ref{&value};
  }
  return root;
}

}  // namespace

const std::string& storage_key(const Object& storage) { return storage.items[0]->text; }

Result<StateDict> read_state_dict(const Pickle& pickle, uint64_t file_bytes,
                                  const StorageBytes& storage_bytes) {
  // Half precision doubles when it is widened, and a few tensors may be tied.
  const uint64_t budget = 4 * file_bytes;
  PENULT_ASSIGN_OR_RETURN(const Ref dict, find_tensors(pickle.root));
  StateDict result;
  std::set<std::string> names;
  uint64_t total = 0;
  for (size_t i = 0; i < dict->items.size(); i += 2) {
    const Object &key = *dict->items[i], &value = *dict->items[i + 1];
    if (key.kind != Kind::kText || value.kind != Kind::kTensor) {
      return Status(StatusCode::kFormatUnsupported,
                    concat("entry ", quote(key.text), " is not a tensor; save a plain state_dict"));
    }
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
  if (result.tensors.empty()) return corrupt("the file holds no tensors");
  return result;
}

}  // namespace penult::converters
