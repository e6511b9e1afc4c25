#include "converters/pytorch/state_dict.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "converters/pytorch/entries.h"
#include "converters/tensor_names.h"
#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

using Kind = Object::Kind;

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

}  // namespace

const std::string& storage_key(const Object& storage) { return storage.items[0]->text; }

Result<StateDict> read_state_dict(const Pickle& pickle, uint64_t file_bytes,
                                  const StorageBytes& storage_bytes, std::string format,
                                  const std::string& entry) {
  // Half precision doubles when it is widened, and a few tensors may be tied.
  const uint64_t budget = 4 * file_bytes;
  PENULT_ASSIGN_OR_RETURN(const Chosen chosen, choose_entry(*pickle.root, entry));
  StateDict result;
  result.format = std::move(format);
  if (!chosen.path.empty()) result.format += concat(", entry ", quote(chosen.path));
  if (!chosen.note.empty()) result.notes.push_back(chosen.note);
  std::set<std::string> names;
  uint64_t total = 0;
  const std::vector<Ref>& items = chosen.dict->items;
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
