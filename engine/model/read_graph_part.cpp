#include <cmath>
#include <limits>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/model/file_layout.h"
#include "engine/model/graph_part.h"
#include "engine/ops/op.h"
#include "penult_model_generated.h"

namespace penult {
namespace {

using flatbuffers::Offset;
using flatbuffers::String;
using flatbuffers::Vector;

constexpr size_t kMaxItems = 65'536;  // values, nodes, weights, taps, aliases
constexpr size_t kMaxText = layout::kMaxTextBytes, kMaxTextTotal = 16 << 20;
constexpr size_t kMaxAttributes = 64, kMaxNumbers = 256, kMaxRank = 8;
// Writers share nothing, so an honest file has each of its bytes read once.
constexpr uint64_t kMaxVisits = 4;

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, "graph part: " + std::move(message));
}

// Reads one buffer. What is copied is counted over the whole buffer, since tables, lists and texts
// may be referred to any number of times: a small file must not become a large model.
class Reader {
 public:
  Reader(const fbs::Model& root, uint64_t buffer_bytes)
      : root_(root), buffer_bytes_(buffer_bytes) {}

  Status read_all(GraphPart& part) {
    PENULT_RETURN_IF_ERROR(read_info(part.model.info));
    PENULT_RETURN_IF_ERROR(read_preprocess(*root_.preprocess(), part.model.info.preprocess));
    PENULT_RETURN_IF_ERROR(read_values(part));
    PENULT_RETURN_IF_ERROR(read_weights(part));
    PENULT_RETURN_IF_ERROR(read_nodes(part.model.graph));
    part.model.graph.input = root_.input();
    return read_taps(part.model);
  }

 private:
  template <typename T>
  static Status check_count(const Vector<T>* items, size_t limit, const char* what) {
    if (items->size() <= limit) return {};
    return Status(StatusCode::kLimitExceeded,
                  concat("graph part: ", items->size(), " ", what, ", expected at most ", limit));
  }

  // Each visit is within the buffer and the first one too many ends it: the sum cannot overflow.
  Status visit(uint64_t bytes) {
    visited_bytes_ += bytes;
    if (visited_bytes_ <= kMaxVisits * buffer_bytes_) return {};
    return Status(StatusCode::kLimitExceeded,
                  concat("graph part: it refers to its own parts so often that they add up to more "
                         "than ",
                         kMaxVisits, " times its ", buffer_bytes_, " bytes"));
  }

  Status text(const String* from, size_t limit, const char* what, std::string& to) {
    PENULT_RETURN_IF_ERROR(visit(from->size()));
    text_bytes_ += from->size();
    if (from->size() > limit || text_bytes_ > kMaxTextTotal) {
      return Status(StatusCode::kLimitExceeded,
                    concat("graph part: ", what, " of ", from->size(), " bytes, expected at most ",
                           limit, " (", kMaxTextTotal, " in all)"));
    }
    to.assign(from->c_str(), from->size());
    if (!is_valid_utf8(to)) return corrupt(concat(what, " is not valid UTF-8"));
    return {};
  }

  // FlatBuffers verifies the alignment of a list's length only, which is that of 4 bytes.
  template <typename T>
  static Status check_alignment(const Vector<T>* items) {
    if (reinterpret_cast<uintptr_t>(items->Data()) % alignof(T) == 0) return {};
    return corrupt("a list of numbers is not aligned");
  }

  template <typename From, typename To>
  Status numbers(const Vector<From>* from, size_t limit, const char* what, std::vector<To>& to) {
    PENULT_RETURN_IF_ERROR(check_count(from, limit, what));
    PENULT_RETURN_IF_ERROR(check_alignment(from));
    PENULT_RETURN_IF_ERROR(visit(from->size() * sizeof(From)));
    to.assign(from->begin(), from->end());
    return {};
  }

  Status read_info(ModelInfo& info) {
    PENULT_RETURN_IF_ERROR(
        text(root_.architecture(), kMaxNameBytes, "architecture", info.architecture));
    PENULT_RETURN_IF_ERROR(
        text(root_.weights_name(), kMaxText, "weight-set name", info.weights_name));
    PENULT_RETURN_IF_ERROR(text(root_.source_name(), kMaxText, "source name", info.source_name));
    PENULT_RETURN_IF_ERROR(
        text(root_.source_sha256(), kMaxNameBytes, "source hash", info.source_sha256));
    PENULT_RETURN_IF_ERROR(text(root_.licence(), kMaxText, "licence", info.licence));
    PENULT_RETURN_IF_ERROR(text(root_.producer(), kMaxNameBytes, "producer", info.producer));
    info.input_c = root_.input_c();
    info.input_h = root_.input_h();
    info.input_w = root_.input_w();
    info.fixed_size = root_.fixed_size();
    return {};
  }

  // Enums are checked before they are cast; ranges are checked by validate(ModelData&).
  static Status read_preprocess(const fbs::Preprocess& from, Preprocess& to) {
    const auto in_range = [](int32_t value, int32_t last, const char* what) -> Status {
      if (value >= 0 && value <= last) return {};
      return corrupt(concat("preprocessing: ", what, " is ", value, ", expected 0 to ", last));
    };
    PENULT_RETURN_IF_ERROR(in_range(from.resize_mode(), 1, "resize_mode"));
    PENULT_RETURN_IF_ERROR(in_range(from.filter(), 1, "filter"));
    PENULT_RETURN_IF_ERROR(in_range(from.channel_order(), 1, "channel_order"));
    if (from.mean()->size() != 3 || from.std()->size() != 3) {
      return corrupt(concat("preprocessing: ", from.mean()->size(), " means and ",
                            from.std()->size(), " deviations, expected 3 and 3"));
    }
    to.resize_mode = static_cast<Preprocess::ResizeMode>(from.resize_mode());
    to.filter = static_cast<Preprocess::Filter>(from.filter());
    to.channel_order = static_cast<Preprocess::ChannelOrder>(from.channel_order());
    to.resize = from.resize();
    to.crop_h = from.crop_h();
    to.crop_w = from.crop_w();
    for (uint32_t c = 0; c < 3; ++c) {
      to.mean[c] = from.mean()->Get(c);
      to.std[c] = from.std()->Get(c);
    }
    return {};
  }

  Status read_values(GraphPart& part) {
    PENULT_RETURN_IF_ERROR(check_count(root_.values(), kMaxItems, "values"));
    for (const fbs::Value* from : *root_.values()) {
      Value value;
      PENULT_RETURN_IF_ERROR(text(from->name(), kMaxNameBytes, "value name", value.name));
      PENULT_RETURN_IF_ERROR(check_alignment(from->shape()));
      const auto& shape = *from->shape();
      if (shape.size() != 1 && shape.size() != 3) {
        return corrupt(concat("value ", quote(value.name), ": shape of rank ", shape.size(),
                              ", expected 3 (map) or 1 (vector)"));
      }
      part.stored_shapes.push_back(shape.size() == 1 ? Shape::vector(shape[0])
                                                     : Shape::map(shape[0], shape[1], shape[2]));
      part.model.graph.values.push_back(std::move(value));
    }
    return {};
  }

  Status read_weights(GraphPart& part) {
    PENULT_RETURN_IF_ERROR(check_count(root_.weights(), kMaxItems, "weights"));
    for (const fbs::Weight* from : *root_.weights()) {
      WeightInfo info;
      WeightRange range;
      PENULT_RETURN_IF_ERROR(text(from->name(), kMaxNameBytes, "weight name", info.name));
      PENULT_RETURN_IF_ERROR(numbers(from->dims(), kMaxRank, "dimensions of a weight", info.dims));
      range.name = info.name;
      range.offset = from->offset();
      range.bytes = from->bytes();
      if (from->block_crc32c()->size() != layout::block_count(range.bytes)) {
        return corrupt(concat("weight ", quote(info.name), ": ", from->block_crc32c()->size(),
                              " block checksums, expected ", layout::block_count(range.bytes)));
      }
      PENULT_RETURN_IF_ERROR(numbers(from->block_crc32c(), layout::block_count(range.bytes),
                                     "block checksums", range.block_crc32c));
      part.model.graph.weights.push_back(std::move(info));
      part.weights.push_back(std::move(range));
    }
    return {};
  }

  Status read_nodes(Graph& graph) {
    PENULT_RETURN_IF_ERROR(check_count(root_.nodes(), kMaxItems, "nodes"));
    for (const fbs::Node* from : *root_.nodes()) {
      Node node;
      std::string op;
      PENULT_RETURN_IF_ERROR(text(from->name(), kMaxNameBytes, "node name", node.name));
      PENULT_RETURN_IF_ERROR(text(from->op(), kMaxNameBytes, "operator name", op));
      node.op = find_op(op);
      if (node.op == nullptr) {
        return Status(StatusCode::kFormatUnsupported,
                      concat("node ", quote(node.name), ": unknown operator ", quote(op),
                             "; a later penult may know it"));
      }
      PENULT_RETURN_IF_ERROR(numbers(from->inputs(), kMaxNumbers, "inputs", node.inputs));
      PENULT_RETURN_IF_ERROR(numbers(from->weights(), kMaxNumbers, "weight slots", node.weights));
      node.output = from->output();
      PENULT_RETURN_IF_ERROR(read_attributes(*from, node));
      graph.nodes.push_back(std::move(node));
    }
    return {};
  }

  Status read_attributes(const fbs::Node& from, Node& node) {
    PENULT_RETURN_IF_ERROR(check_count(from.attributes(), kMaxAttributes, "attributes"));
    for (const fbs::Attribute* attribute : *from.attributes()) {
      std::string name;
      PENULT_RETURN_IF_ERROR(text(attribute->name(), kMaxNameBytes, "attribute name", name));
      const size_t ints = attribute->ints() == nullptr ? 0 : attribute->ints()->size();
      const size_t floats = attribute->floats() == nullptr ? 0 : attribute->floats()->size();
      if (node.attrs.find(name) != nullptr || ints > kMaxNumbers || floats > 1 ||
          (ints == 0) == (floats == 0)) {
        return corrupt(concat("node ", quote(node.name), ": attribute ", quote(name),
                              " is repeated, or has ", ints, " integers and ", floats,
                              " floats; expected integers or one float, once"));
      }
      PENULT_RETURN_IF_ERROR(visit(ints * sizeof(int64_t) + floats * sizeof(float)));
      if (floats == 1) {
        node.attrs.set_float(name, attribute->floats()->Get(0));
      } else {
        PENULT_RETURN_IF_ERROR(check_alignment(attribute->ints()));
        node.attrs.set(name,
                       std::vector<int64_t>(attribute->ints()->begin(), attribute->ints()->end()));
      }
    }
    return {};
  }

  Status read_taps(ModelData& model) {
    PENULT_RETURN_IF_ERROR(check_count(root_.taps(), kMaxItems, "taps"));
    PENULT_RETURN_IF_ERROR(check_count(root_.aliases(), kMaxItems, "aliases"));
    PENULT_RETURN_IF_ERROR(check_count(root_.groups(), kMaxItems, "tap groups"));
    for (const fbs::Tap* from : *root_.taps()) {
      Tap tap{.name = {}, .value = from->value()};
      PENULT_RETURN_IF_ERROR(text(from->name(), kMaxNameBytes, "tap name", tap.name));
      model.taps.push_back(std::move(tap));
    }
    for (const fbs::Alias* from : *root_.aliases()) {
      Alias alias{.name = {}, .tap = from->tap()};
      PENULT_RETURN_IF_ERROR(text(from->name(), kMaxNameBytes, "alias", alias.name));
      model.aliases.push_back(std::move(alias));
    }
    for (const fbs::TapGroup* from : *root_.groups()) {
      TapGroup group;
      PENULT_RETURN_IF_ERROR(text(from->name(), kMaxNameBytes, "group name", group.name));
      PENULT_RETURN_IF_ERROR(numbers(from->taps(), kMaxItems, "taps of a group", group.taps));
      model.groups.push_back(std::move(group));
    }
    return {};
  }

  const fbs::Model& root_;
  const uint64_t buffer_bytes_;
  uint64_t visited_bytes_ = 0;
  size_t text_bytes_ = 0;
};

}  // namespace

Result<GraphPart> read_graph_part(std::span<const uint8_t> bytes) {
  // FlatBuffers only asserts this limit.
  if (bytes.size() > layout::kMaxGraphBytes) {
    return Status(StatusCode::kLimitExceeded,
                  concat("graph part of ", bytes.size(), " bytes, expected at most ",
                         layout::kMaxGraphBytes));
  }
  constexpr uint32_t kMaxDepth = 32, kMaxTables = 500'000;
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), kMaxDepth, kMaxTables);
  if (bytes.size() < 8 || !fbs::VerifyModelBuffer(verifier)) {
    // The verifier does not say why it failed, but it refuses one more table once it is full.
    if (bytes.size() >= 8 && !verifier.VerifyComplexity()) {
      return Status(StatusCode::kLimitExceeded,
                    concat("graph part: more than ", kMaxTables, " tables"));
    }
    return corrupt("its structure does not verify; the file is damaged or not a .penult file");
  }
  GraphPart part;
  PENULT_RETURN_IF_ERROR(Reader(*fbs::GetModel(bytes.data()), bytes.size()).read_all(part));
  return part;
}

}  // namespace penult
