#include "converters/onnx/wire_check.h"

#include <array>
#include <optional>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

enum class Part {
  kModel,
  kGraph,
  kNode,
  kAttribute,
  kTensor,
  kEntry,
  kOpset,
  kValue,
  kType,
  kTensorType,
  kShape,
  kDim,
};

enum class Kind {
  kNumber,   // varint
  kFloat,    // 4 bytes
  kNumbers,  // varints, packed or not
  kFloats,   // 4 bytes each, packed or not
  kDoubles,  // 8 bytes each, packed or not
  kText,     // UTF-8
  kBytes,    // a short string of anything
  kRaw,      // of any length
  kMessage,  // of the part `child`
  kRefused,  // valid ONNX, which penult does not read
};

// Where WireParts keeps a field besides.
enum class Keep { kNowhere, kModelHead, kGraphHead, kNodes, kInitializers };

struct Field {
  Part part;
  uint32_t number;
  Kind kind;
  uint32_t most;     // how often it may occur in one message; lists of numbers: no limit
  const char* name;  // as the format has it; kRefused: what it is, and what to do
  Part child = Part::kEntry;
  Keep keep = Keep::kNowhere;
};

constexpr uint32_t kAny = 0xffffffff;
constexpr size_t kMostFields = 16;  // of a part

// THE fields that are known, as onnx_file.proto has them. All others are skipped. No part can lie
// inside itself, so the walk is as deep as this table, whatever a file holds.
// clang-format off
constexpr Field kFields[] = {
    {Part::kModel, 1, Kind::kNumber, 1, "ir_version", {}, Keep::kModelHead},
    {Part::kModel, 2, Kind::kText, 1, "producer_name", {}, Keep::kModelHead},
    {Part::kModel, 3, Kind::kText, 1, "producer_version", {}, Keep::kModelHead},
    {Part::kModel, 7, Kind::kMessage, 1, "graph", Part::kGraph},
    {Part::kModel, 8, Kind::kMessage, 256, "opset_import", Part::kOpset, Keep::kModelHead},
    {Part::kModel, 20, Kind::kRefused, kAny,
     "information for training; export the network for inference"},
    {Part::kModel, 25, Kind::kRefused, kAny,
     "functions of its own; write it anew with onnx.inliner.inline_local_functions"},
    {Part::kGraph, 1, Kind::kMessage, kMaxNodes, "node", Part::kNode, Keep::kNodes},
    {Part::kGraph, 5, Kind::kMessage, kMaxInitializers, "initializer", Part::kTensor,
     Keep::kInitializers},
    {Part::kGraph, 11, Kind::kMessage, kMaxInitializers, "input", Part::kValue, Keep::kGraphHead},
    {Part::kGraph, 12, Kind::kMessage, kMaxNodes, "output", Part::kValue, Keep::kGraphHead},
    {Part::kGraph, 15, Kind::kRefused, kAny, "sparse initializers; write them as dense ones"},
    {Part::kNode, 1, Kind::kText, kMaxOperands, "input"},
    {Part::kNode, 2, Kind::kText, kMaxOperands, "output"},
    {Part::kNode, 3, Kind::kText, 1, "name"},
    {Part::kNode, 4, Kind::kText, 1, "op_type"},
    {Part::kNode, 5, Kind::kMessage, kMaxAttributes, "attribute", Part::kAttribute},
    {Part::kNode, 7, Kind::kText, 1, "domain"},
    {Part::kNode, 9, Kind::kMessage, 64, "metadata_props", Part::kEntry},
    {Part::kAttribute, 1, Kind::kText, 1, "name"},
    {Part::kAttribute, 2, Kind::kFloat, 1, "f"},
    {Part::kAttribute, 3, Kind::kNumber, 1, "i"},
    {Part::kAttribute, 4, Kind::kBytes, 1, "s"},
    {Part::kAttribute, 5, Kind::kMessage, 1, "t", Part::kTensor},
    {Part::kAttribute, 7, Kind::kFloats, kAny, "floats"},
    {Part::kAttribute, 8, Kind::kNumbers, kAny, "ints"},
    {Part::kAttribute, 9, Kind::kBytes, kMaxNodes, "strings"},
    {Part::kAttribute, 20, Kind::kNumber, 1, "type"},
    {Part::kAttribute, 21, Kind::kText, 1, "ref_attr_name"},
    {Part::kTensor, 1, Kind::kNumbers, kAny, "dims"},
    {Part::kTensor, 2, Kind::kNumber, 1, "data_type"},
    {Part::kTensor, 3, Kind::kRefused, kAny, "a tensor in segments; write it as one"},
    {Part::kTensor, 4, Kind::kFloats, kAny, "float_data"},
    {Part::kTensor, 5, Kind::kNumbers, kAny, "int32_data"},
    {Part::kTensor, 7, Kind::kNumbers, kAny, "int64_data"},
    {Part::kTensor, 8, Kind::kText, 1, "name"},
    {Part::kTensor, 9, Kind::kRaw, 1, "raw_data"},
    {Part::kTensor, 10, Kind::kDoubles, kAny, "double_data"},
    {Part::kTensor, 11, Kind::kNumbers, kAny, "uint64_data"},
    {Part::kTensor, 13, Kind::kMessage, 16, "external_data", Part::kEntry},
    {Part::kTensor, 14, Kind::kNumber, 1, "data_location"},
    {Part::kEntry, 1, Kind::kText, 1, "key"},
    {Part::kEntry, 2, Kind::kRaw, 1, "value"},  // also stack traces of any length
    {Part::kOpset, 1, Kind::kText, 1, "domain"},
    {Part::kOpset, 2, Kind::kNumber, 1, "version"},
    {Part::kValue, 1, Kind::kText, 1, "name"},
    {Part::kValue, 2, Kind::kMessage, 1, "type", Part::kType},
    {Part::kType, 1, Kind::kMessage, 1, "tensor_type", Part::kTensorType},
    {Part::kTensorType, 1, Kind::kNumber, 1, "elem_type"},
    {Part::kTensorType, 2, Kind::kMessage, 1, "shape", Part::kShape},
    {Part::kShape, 1, Kind::kMessage, kMaxRank, "dim", Part::kDim},
    {Part::kDim, 1, Kind::kNumber, 1, "dim_value"},
    {Part::kDim, 2, Kind::kText, 1, "dim_param"},
};
// clang-format on

constexpr std::span<const Field> fields_of(Part part) {
  size_t first = 0, count = 0;
  while (kFields[first].part != part) ++first;
  while (first + count < std::size(kFields) && kFields[first + count].part == part) ++count;
  return {kFields + first, count};
}
static_assert(fields_of(Part::kTensor).size() <= kMostFields);

enum WireType : uint32_t { kVarint = 0, kEightBytes = 1, kLength = 2, kFourBytes = 5 };

bool fits(Kind kind, uint32_t wire_type) {
  switch (kind) {
    case Kind::kNumber:
      return wire_type == kVarint;
    case Kind::kFloat:
      return wire_type == kFourBytes;
    case Kind::kNumbers:
      return wire_type == kVarint || wire_type == kLength;
    case Kind::kFloats:
      return wire_type == kFourBytes || wire_type == kLength;
    case Kind::kDoubles:
      return wire_type == kEightBytes || wire_type == kLength;
    default:
      return wire_type == kLength;
  }
}

// One field as it lies in the file.
struct Item {
  uint32_t number = 0, wire_type = 0;
  std::span<const uint8_t> whole;    // with its tag
  std::span<const uint8_t> payload;  // kLength: what it holds
};

class Cursor {
 public:
  explicit Cursor(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool at_end() const { return at_ == bytes_.size(); }
  size_t at() const { return at_; }
  uint64_t lacks() const { return lacks_; }  // bytes that the field which is none would need

  // Nothing if the bytes there are no field.
  std::optional<Item> next() {
    const size_t start = at_;
    const auto tag = varint();
    if (!tag || *tag > 0xffffffff || *tag < 8) return std::nullopt;
    Item item{.number = static_cast<uint32_t>(*tag >> 3),
              .wire_type = static_cast<uint32_t>(*tag & 7),
              .whole = {},
              .payload = {}};
    const auto length = payload_bytes(item.wire_type);
    if (!length) return std::nullopt;
    if (const size_t left = bytes_.size() - at_; *length > left) {
      lacks_ = *length - left;
      return std::nullopt;
    }
    item.payload = bytes_.subspan(at_, *length);
    at_ += *length;
    item.whole = bytes_.subspan(start, at_ - start);
    return item;
  }

 private:
  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const uint8_t byte = bytes_[at_++];
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  std::optional<uint64_t> payload_bytes(uint32_t wire_type) {
    switch (wire_type) {
      case kVarint:
        return varint() ? std::optional<uint64_t>(0) : std::nullopt;
      case kEightBytes:
        return 8;
      case kLength:
        return varint();
      case kFourBytes:
        return 4;
      default:  // 3 and 4: groups, which ONNX does not use and which nest without lengths
        return std::nullopt;
    }
  }

  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
  uint64_t lacks_ = 0;
};

class Walker {
 public:
  explicit Walker(std::span<const uint8_t> file) : file_(file) {}

  Status walk(Part part, std::span<const uint8_t> bytes, const char* name) {
    if (++messages_ > kMaxMessages) return too_many(bytes, "messages", kMaxMessages);
    const auto fields = fields_of(part);
    std::array<uint32_t, kMostFields> seen{};
    for (Cursor cursor(bytes); !cursor.at_end();) {
      const size_t at = cursor.at();
      const auto item = cursor.next();
      if (!item) {
        return corrupt(
            bytes.subspan(at),
            cursor.lacks() == 0
                ? concat("no field of ", name, " begins there")
                : concat("a field of ", name, " that begins there needs ", cursor.lacks(),
                         " bytes more than are left; was it truncated?"));
      }
      size_t row = 0;
      while (row < fields.size() && fields[row].number != item->number) ++row;
      if (row == fields.size()) continue;
      if (++seen[row] > fields[row].most) return too_often(fields[row], *item);
      PENULT_RETURN_IF_ERROR(check(fields[row], *item));
      keep(fields[row], *item);
    }
    return {};
  }

  WireParts take() { return std::move(parts_); }

 private:
  Status check(const Field& field, const Item& item) {
    if (field.kind == Kind::kRefused) {
      return Status(StatusCode::kFormatUnsupported, concat("it holds ", field.name));
    }
    if (!fits(field.kind, item.wire_type)) {
      return corrupt(item.whole, concat("field ", quote(field.name), " has wire type ",
                                        item.wire_type, ", which does not fit its kind"));
    }
    const size_t bytes = item.payload.size();
    switch (field.kind) {
      case Kind::kText:
      case Kind::kBytes:
        return check_string(field, item);
      case Kind::kFloats:
      case Kind::kDoubles:
        if (bytes % (field.kind == Kind::kFloats ? 4 : 8) == 0) return {};
        return corrupt(item.whole, concat("field ", quote(field.name), " has ", bytes,
                                          " bytes, which are no whole numbers"));
      case Kind::kMessage:
        return walk(field.child, item.payload, field.name);
      default:
        return {};
    }
  }

  Status check_string(const Field& field, const Item& item) {
    if (++strings_ > kMaxStrings) return too_many(item.whole, "strings", kMaxStrings);
    if (item.payload.size() > kMaxStringBytes) {
      return Status(StatusCode::kLimitExceeded,
                    concat("field ", quote(field.name), " at byte ", offset(item.whole), " has ",
                           item.payload.size(), " bytes, expected at most ", kMaxStringBytes));
    }
    const std::string_view text(reinterpret_cast<const char*>(item.payload.data()),
                                item.payload.size());
    if (field.kind == Kind::kBytes) return {};
    if (is_valid_utf8(text) && text.find('\0') == std::string_view::npos) return {};
    return corrupt(item.whole, concat("field ", quote(field.name), " is no text in UTF-8"));
  }

  void keep(const Field& field, const Item& item) {
    switch (field.keep) {
      case Keep::kNowhere:
        return;
      case Keep::kModelHead:
        parts_.model.append(item.whole.begin(), item.whole.end());
        return;
      case Keep::kGraphHead:
        parts_.graph.append(item.whole.begin(), item.whole.end());
        return;
      case Keep::kNodes:
        parts_.nodes.push_back(item.payload);
        return;
      case Keep::kInitializers:
        parts_.initializers.push_back(item.payload);
        return;
    }
  }

  size_t offset(std::span<const uint8_t> where) const {
    return static_cast<size_t>(where.data() - file_.data());
  }
  Status corrupt(std::span<const uint8_t> where, const std::string& what) const {
    return Status(StatusCode::kFormatCorrupt,
                  concat("no ONNX file, or a damaged one, at byte ", offset(where), " of ",
                         file_.size(), ": ", what));
  }
  Status too_many(std::span<const uint8_t> where, const char* what, uint32_t most) const {
    return Status(StatusCode::kLimitExceeded, concat("more than ", most, " ", what, " before byte ",
                                                     offset(where), " of ", file_.size()));
  }
  Status too_often(const Field& field, const Item& item) const {
    if (field.most == 1) {
      return corrupt(item.whole, concat("field ", quote(field.name), " occurs twice"));
    }
    return Status(StatusCode::kLimitExceeded,
                  concat("field ", quote(field.name), " at byte ", offset(item.whole),
                         " occurs more than ", field.most, " times"));
  }

  std::span<const uint8_t> file_;
  uint32_t messages_ = 0, strings_ = 0;
  WireParts parts_;
};

}  // namespace

Result<WireParts> check_wire(std::span<const uint8_t> file) {
  if (file.empty()) return Status(StatusCode::kFormatCorrupt, "the file is empty");
  Walker walker(file);
  PENULT_RETURN_IF_ERROR(walker.walk(Part::kModel, file, "model"));
  return walker.take();
}

TensorWire split_tensor(std::span<const uint8_t> tensor) {
  constexpr uint32_t kRawData = 9;
  TensorWire wire;
  for (Cursor cursor(tensor); !cursor.at_end();) {
    const auto item = cursor.next();
    if (!item) break;  // check_wire found none such
    if (item->number == kRawData) {
      wire.raw = item->payload;
    } else {
      wire.fields.append(item->whole.begin(), item->whole.end());
    }
  }
  return wire;
}

}  // namespace penult::converters::onnx
