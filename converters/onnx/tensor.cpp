#include "converters/onnx/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "converters/onnx/onnx_file.pb.h"
#include "converters/onnx/wire_check.h"
#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/half.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

constexpr int64_t kMaxDim = std::numeric_limits<int32_t>::max();
constexpr uint64_t kMaxElems = uint64_t{1} << 40;

enum class Store { kNone, kFloat, kInt32, kInt64, kDouble, kUint64 };

struct Dtype {
  const char* name;
  uint8_t bytes;  // 0: refused
  bool is_integer;
  Store typed;          // the field that holds numbers of this type one by one
  int64_t least, most;  // as integers there; f16 and bf16 are their bits
};

template <typename T>
constexpr Dtype integer(const char* name, Store typed) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const bool fits = static_cast<uint64_t>(std::numeric_limits<T>::max()) <= uint64_t{kMost};
  return {name,
          sizeof(T),
          true,
          typed,
          static_cast<int64_t>(std::numeric_limits<T>::min()),
          fits ? static_cast<int64_t>(std::numeric_limits<T>::max()) : kMost};
}
constexpr Dtype refused(const char* name) { return {name, 0, false, Store::kNone, 0, 0}; }

enum : int32_t {
  kF32 = 1,
  kU8 = 2,
  kI8 = 3,
  kU16 = 4,
  kI16 = 5,
  kI32 = 6,
  kI64 = 7,
  kBool = 9,
  kF16 = 10,
  kF64 = 11,
  kU32 = 12,
  kU64 = 13,
  kBf16 = 16,
};

// By number in the format.
constexpr Dtype kDtypes[] = {
    refused("undefined"),
    {"float32", 4, false, Store::kFloat, 0, 0},
    integer<uint8_t>("uint8", Store::kInt32),
    integer<int8_t>("int8", Store::kInt32),
    integer<uint16_t>("uint16", Store::kInt32),
    integer<int16_t>("int16", Store::kInt32),
    integer<int32_t>("int32", Store::kInt32),
    integer<int64_t>("int64", Store::kInt64),
    refused("string"),
    {"bool", 1, true, Store::kInt32, 0, 1},
    {"float16", 2, false, Store::kInt32, 0, 0xffff},
    {"float64", 8, false, Store::kDouble, 0, 0},
    integer<uint32_t>("uint32", Store::kUint64),
    integer<uint64_t>("uint64", Store::kUint64),
    refused("complex64"),
    refused("complex128"),
    {"bfloat16", 2, false, Store::kInt32, 0, 0xffff},
    refused("float8e4m3fn"),
    refused("float8e4m3fnuz"),
    refused("float8e5m2"),
    refused("float8e5m2fnuz"),
    refused("uint4"),
    refused("int4"),
    refused("float4e2m1"),
};

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

float from_bfloat16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}
float from_bits(int32_t data_type, uint16_t bits) {
  return data_type == kF16 ? float_from_half(bits) : from_bfloat16(bits);
}

// Fills `to` with convert(x) of each little-endian T in `raw`.
template <typename T, typename To, typename Convert>
void convert_all(std::span<const uint8_t> raw, std::vector<To>& to, Convert convert) {
  static_assert(std::endian::native == std::endian::little);
  to.resize(raw.size() / sizeof(T));
  for (size_t i = 0; i < to.size(); ++i) {
    T value;
    std::memcpy(&value, raw.data() + i * sizeof(T), sizeof(T));
    to[i] = convert(value);
  }
}

// float64 that float32 cannot hold.
Status narrow(std::span<const double> from, std::vector<float>& to) {
  uint64_t too_large = 0;
  to.reserve(from.size());
  for (const double value : from) {
    const bool fits = !std::isfinite(value) || std::abs(value) <= std::numeric_limits<float>::max();
    too_large += fits ? 0 : 1;
    to.push_back(fits ? static_cast<float>(value) : 0);
  }
  if (too_large == 0) return {};
  return Status(StatusCode::kFormatUnsupported,
                concat(too_large, " of its ", from.size(), " numbers are too large for float32"));
}

Status check_range(const Dtype& type, std::span<const int64_t> values) {
  for (const int64_t value : values) {
    if (value >= type.least && value <= type.most) continue;
    return corrupt(concat("one of its numbers is outside ", type.least, " to ", type.most,
                          ", which ", type.name, " may hold here"));
  }
  return {};
}

// An unsigned number above int64's is -1, which no unsigned type may hold.
int64_t from_unsigned(uint64_t value) {
  return value > uint64_t{std::numeric_limits<int64_t>::max()} ? -1 : static_cast<int64_t>(value);
}

template <typename T>
void widen(std::span<const uint8_t> raw, std::vector<int64_t>& to) {
  convert_all<T>(raw, to, [](T value) { return static_cast<int64_t>(value); });
}

Status read_raw_ints(int32_t data_type, std::span<const uint8_t> raw, std::vector<int64_t>& to) {
  switch (data_type) {
    case kU8:
    case kBool:
      widen<uint8_t>(raw, to);
      break;
    case kI8:
      widen<int8_t>(raw, to);
      break;
    case kU16:
      widen<uint16_t>(raw, to);
      break;
    case kI16:
      widen<int16_t>(raw, to);
      break;
    case kI32:
      widen<int32_t>(raw, to);
      break;
    case kU32:
      widen<uint32_t>(raw, to);
      break;
    case kI64:
      widen<int64_t>(raw, to);
      break;
    default:
      convert_all<uint64_t>(raw, to, from_unsigned);
  }
  return check_range(kDtypes[data_type], to);
}

Status read_raw(int32_t data_type, std::span<const uint8_t> raw, Tensor& to) {
  if (to.is_integer) return read_raw_ints(data_type, raw, to.ints);
  if (data_type == kF64) {
    std::vector<double> values;
    convert_all<double>(raw, values, [](double value) { return value; });
    return narrow(values, to.floats);
  }
  if (data_type == kF32) {
    convert_all<float>(raw, to.floats, [](float value) { return value; });
  } else {
    convert_all<uint16_t>(raw, to.floats,
                          [&](uint16_t bits) { return from_bits(data_type, bits); });
  }
  return {};
}

struct TypedCount {
  uint64_t all, of_its_type;
};
TypedCount count_typed(const onnx_file::Tensor& tensor, Store store) {
  const std::pair<Store, int> counts[] = {{Store::kFloat, tensor.float_data_size()},
                                          {Store::kInt32, tensor.int32_data_size()},
                                          {Store::kInt64, tensor.int64_data_size()},
                                          {Store::kDouble, tensor.double_data_size()},
                                          {Store::kUint64, tensor.uint64_data_size()}};
  TypedCount count{0, 0};
  for (const auto& [where, numbers] : counts) {
    count.all += static_cast<uint64_t>(numbers);
    if (where == store) count.of_its_type += static_cast<uint64_t>(numbers);
  }
  return count;
}

Status read_typed(const onnx_file::Tensor& tensor, const Dtype& type, Tensor& to) {
  switch (type.typed) {
    case Store::kFloat:
      to.floats.assign(tensor.float_data().begin(), tensor.float_data().end());
      return {};
    case Store::kDouble:
      return narrow({tensor.double_data().data(), static_cast<size_t>(tensor.double_data_size())},
                    to.floats);
    case Store::kInt32:
      to.ints.assign(tensor.int32_data().begin(), tensor.int32_data().end());
      break;
    case Store::kInt64:
      to.ints.assign(tensor.int64_data().begin(), tensor.int64_data().end());
      break;
    default:
      for (const uint64_t value : tensor.uint64_data()) to.ints.push_back(from_unsigned(value));
  }
  PENULT_RETURN_IF_ERROR(check_range(type, to.ints));
  if (to.is_integer) return {};
  for (const int64_t bits : to.ints) {
    to.floats.push_back(from_bits(tensor.data_type(), static_cast<uint16_t>(bits)));
  }
  to.ints = {};
  return {};
}

Result<uint64_t> check_dims(const std::vector<int64_t>& dims) {
  if (dims.size() > kMaxRank) {
    return Status(StatusCode::kLimitExceeded,
                  concat("it has ", dims.size(), " dimensions, expected at most ", kMaxRank));
  }
  for (const int64_t dim : dims) {
    if (dim < 0 || dim > kMaxDim) return corrupt(concat("its dimensions are ", dims));
  }
  const auto elems = checked_product(dims);
  if (elems && *elems <= kMaxElems) return *elems;
  return Status(StatusCode::kLimitExceeded,
                concat("its dimensions ", dims, " are more than ", kMaxElems, " numbers"));
}

Result<const Dtype*> dtype_of(int32_t data_type) {
  const bool known = data_type >= 0 && static_cast<size_t>(data_type) < std::size(kDtypes);
  if (known && kDtypes[data_type].bytes > 0) return &kDtypes[data_type];
  return Status(StatusCode::kFormatUnsupported,
                concat("its type is ", type_name(data_type),
                       ", expected float16, bfloat16, float32, float64, bool or integers of 8 to "
                       "64 bits"));
}

}  // namespace

int64_t Tensor::elems() const {
  int64_t product = 1;
  for (const int64_t dim : dims) product *= dim;
  return product;
}

std::string type_name(int32_t data_type) {
  const bool known = data_type >= 0 && static_cast<size_t>(data_type) < std::size(kDtypes);
  return known ? kDtypes[data_type].name : concat("number ", data_type);
}

bool is_float_type(int32_t data_type) {
  const auto type = dtype_of(data_type);
  return type.ok() && !(*type)->is_integer;
}

Result<Tensor> read_tensor(const onnx_file::Tensor& tensor, std::span<const uint8_t> raw,
                           ExternalData& external) {
  constexpr int32_t kInFile = 0, kExternal = 1;
  Tensor result;
  result.dims.assign(tensor.dims().begin(), tensor.dims().end());
  PENULT_ASSIGN_OR_RETURN(const uint64_t elems, check_dims(result.dims));
  PENULT_ASSIGN_OR_RETURN(const Dtype* type, dtype_of(tensor.data_type()));
  result.is_integer = type->is_integer;
  const TypedCount typed = count_typed(tensor, type->typed);
  const int32_t location = tensor.data_location();
  if ((raw.empty() ? 0 : 1) + (typed.all > 0 ? 1 : 0) + (location == kExternal ? 1 : 0) > 1) {
    return corrupt("its numbers are given twice");
  }
  if (location == kExternal) {
    PENULT_ASSIGN_OR_RETURN(const auto bytes, external.read(tensor, elems * type->bytes));
    PENULT_RETURN_IF_ERROR(read_raw(tensor.data_type(), bytes, result));
    return result;
  }
  if (location != kInFile) return corrupt(concat("its data_location is ", location));
  if (typed.all > 0) {
    if (typed.of_its_type != typed.all || typed.all != elems) {
      return corrupt(concat("it holds ", typed.all, " numbers, ", typed.of_its_type,
                            " of them where ", type->name, " belongs, expected ", elems,
                            " for its dimensions ", result.dims));
    }
    PENULT_RETURN_IF_ERROR(read_typed(tensor, *type, result));
    return result;
  }
  if (raw.size() != elems * type->bytes) {
    return corrupt(concat("it holds ", raw.size(), " bytes, expected ", elems * type->bytes,
                          " for ", type->name, " and its dimensions ", result.dims));
  }
  PENULT_RETURN_IF_ERROR(read_raw(tensor.data_type(), raw, result));
  return result;
}

}  // namespace penult::converters::onnx
