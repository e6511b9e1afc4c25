#include "converters/pytorch/globals.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

using Kind = Object::Kind;

constexpr size_t kMaxRank = 8;

struct StorageName {
  const char* name;
  Dtype dtype;
};

constexpr StorageName kStorages[] = {
    {"torch FloatStorage", Dtype::kFloat32}, {"torch DoubleStorage", Dtype::kFloat64},
    {"torch HalfStorage", Dtype::kFloat16},  {"torch BFloat16Storage", Dtype::kBfloat16},
    {"torch LongStorage", Dtype::kInt64},    {"torch IntStorage", Dtype::kInt32},
    {"torch ShortStorage", Dtype::kInt16},   {"torch CharStorage", Dtype::kInt8},
    {"torch ByteStorage", Dtype::kUint8},    {"torch BoolStorage", Dtype::kBool},
};

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

Status read_dims(const Object& from, const char* what, std::vector<int64_t>& to) {
  if (from.kind != Kind::kTuple) {
    return corrupt(concat("a tensor's ", what, " is not a tuple of numbers"));
  }
  if (from.items.size() > kMaxRank) {
    return Status(StatusCode::kLimitExceeded,
                  concat("a tensor's ", what, " has ", from.items.size(),
                         " numbers, expected at most ", kMaxRank));
  }
  for (const Ref item : from.items) {
    if (item->kind != Kind::kInt || item->number < 0) {
      return corrupt(concat("a tensor's ", what, " has an entry that is not a number >= 0"));
    }
    to.push_back(item->number);
  }
  return {};
}

// What is made of something opaque is opaque. True if the first argument is.
bool stay_opaque(const std::vector<Ref>& args, Object& result) {
  if (args.empty() || args[0]->kind != Kind::kOpaque) return false;
  result.kind = Kind::kOpaque;
  result.items = {args[0]};
  return true;
}

// Metadata of a tensor: a dict with "neg" or "conj" set says that its numbers are stored as their
// negatives.
Status check_metadata(const Object& metadata) {
  if (metadata.kind != Kind::kDict) return {};
  for (size_t i = 0; i + 1 < metadata.items.size(); i += 2) {
    const Object& key = *metadata.items[i];
    const Object& value = *metadata.items[i + 1];
    const bool is_set = value.kind != Kind::kBool || value.number != 0;
    if (key.kind != Kind::kText || (key.text != "neg" && key.text != "conj") || !is_set) continue;
    return Status(StatusCode::kFormatUnsupported,
                  concat("a tensor is a view that negates what is stored (", quote(key.text),
                         "): save `tensor.resolve_conj().resolve_neg().clone()` of each"));
  }
  return {};
}

// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata])
Status rebuild_tensor(const std::vector<Ref>& args, Object& tensor) {
  if (stay_opaque(args, tensor)) return {};
  if (args.size() < 4 || args.size() > 7 || args[0]->kind != Kind::kStorage ||
      args[1]->kind != Kind::kInt || args[1]->number < 0) {
    return corrupt("a tensor is not rebuilt from (storage, offset, size, stride, ...)");
  }
  if (args.size() == 7) PENULT_RETURN_IF_ERROR(check_metadata(*args[6]));
  tensor.kind = Kind::kTensor;
  tensor.items = {args[0]};
  tensor.number = args[1]->number;
  PENULT_RETURN_IF_ERROR(read_dims(*args[2], "size", tensor.dims));
  PENULT_RETURN_IF_ERROR(read_dims(*args[3], "stride", tensor.strides));
  if (tensor.dims.size() != tensor.strides.size()) {
    return corrupt(concat("a tensor has ", tensor.dims.size(), " sizes and ", tensor.strides.size(),
                          " strides"));
  }
  return {};
}

// _rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype[, metadata]): of
// types that have no storage class of their own, such as float8. Opaque, and named by the type.
Status rebuild_other_tensor(const std::vector<Ref>& args, Object& tensor) {
  tensor.kind = Kind::kOpaque;
  if (args.size() > 6 && args[6]->kind == Kind::kOpaque) {
    tensor.items = {args[6]};
  } else {
    tensor.text = "torch._utils _rebuild_tensor_v3";
  }
  return {};
}

// _rebuild_parameter(tensor, requires_grad, hooks)
Status rebuild_parameter(const std::vector<Ref>& args, Object& tensor) {
  if (stay_opaque(args, tensor)) return {};
  if (args.size() != 3 || args[0]->kind != Kind::kTensor) {
    return corrupt("a parameter is not rebuilt from (tensor, requires_grad, hooks)");
  }
  tensor = *args[0];
  return {};
}

// OrderedDict() or OrderedDict([[key, value], ...])
Status ordered_dict(const std::vector<Ref>& args, Object& dict) {
  dict.kind = Kind::kDict;
  if (args.empty()) return {};
  if (args.size() != 1 || args[0]->kind != Kind::kList) {
    return corrupt("an OrderedDict is not made from nothing or one list");
  }
  for (const Ref pair : args[0]->items) {
    if ((pair->kind != Kind::kTuple && pair->kind != Kind::kList) || pair->items.size() != 2) {
      return corrupt("an OrderedDict's list has an entry that is not a pair");
    }
    dict.items.insert(dict.items.end(), pair->items.begin(), pair->items.end());
  }
  return {};
}

// defaultdict() or defaultdict(factory); the factory is not used.
Status default_dict(const std::vector<Ref>& args, Object& dict) {
  if (args.size() > 1) return corrupt("a defaultdict is not made from nothing or one factory");
  dict.kind = Kind::kDict;
  return {};
}

// torch.Size((...))
Status size(const std::vector<Ref>& args, Object& tuple) {
  if (args.size() != 1 || (args[0]->kind != Kind::kTuple && args[0]->kind != Kind::kList)) {
    return corrupt("a torch.Size is not made from one tuple");
  }
  tuple.kind = Kind::kTuple;
  tuple.items = args[0]->items;
  return {};
}

struct Callable {
  const char* name;
  Status (*call)(const std::vector<Ref>& args, Object& result);
};

constexpr Callable kCallables[] = {
    {"collections OrderedDict", ordered_dict},
    {"collections defaultdict", default_dict},
    {"torch Size", size},
    {"torch._utils _rebuild_parameter", rebuild_parameter},
    {"torch._utils _rebuild_tensor", rebuild_tensor},
    {"torch._utils _rebuild_tensor_v2", rebuild_tensor},
    {"torch._utils _rebuild_tensor_v3", rebuild_other_tensor},
};

const Callable* find_callable(const std::string& name) {
  for (const Callable& callable : kCallables) {
    if (name == callable.name) return &callable;
  }
  return nullptr;
}

}  // namespace

bool is_known_global(const std::string& name) {
  return storage_dtype(name).has_value() || find_callable(name) != nullptr;
}

std::optional<Dtype> storage_dtype(const std::string& name) {
  for (const StorageName& storage : kStorages) {
    if (name == storage.name) return storage.dtype;
  }
  return std::nullopt;
}

Status call_global(const std::string& name, const std::vector<Ref>& args, Object& result) {
  const Callable* callable = find_callable(name);
  if (callable == nullptr) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("calls ", quote(name), "; only tensors and OrderedDicts are rebuilt"));
  }
  return callable->call(args, result);
}

Status read_persistent_id(const Object& id, Object& result) {
  const auto& items = id.items;
  // A storage of a class that we do not know, or, in the legacy format, the class of a whole module
  // with its source code: ('module', class, file, source).
  if (id.kind == Kind::kTuple && items.size() >= 2 && items[1]->kind == Kind::kOpaque) {
    result.kind = Kind::kOpaque;
    result.items.assign(items.begin() + 1, items.begin() + std::min<size_t>(items.size(), 3));
    return {};
  }
  if (id.kind != Kind::kTuple || items.size() < 5 || items.size() > 6 ||
      items[0]->kind != Kind::kText || items[0]->text != "storage" ||
      items[1]->kind != Kind::kGlobal || items[2]->kind != Kind::kText ||
      items[3]->kind != Kind::kText || items[4]->kind != Kind::kInt || items[4]->number < 0) {
    return corrupt("a persistent id is not ('storage', class, key, location, elements)");
  }
  if (items.size() == 6 && items[5]->kind != Kind::kNone) {
    return Status(StatusCode::kFormatUnsupported,
                  "a storage is a view of another one; save the state dict with a newer PyTorch");
  }
  const std::optional<Dtype> dtype = storage_dtype(items[1]->text);
  if (!dtype) return corrupt(concat("storage class ", quote(items[1]->text), " is not one"));
  result.kind = Kind::kStorage;
  result.dtype = *dtype;
  result.items = {items[2]};
  result.number = items[4]->number;
  return {};
}

}  // namespace penult::converters
