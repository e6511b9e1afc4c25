#include "engine/model/graph_part.h"
#include "engine/ops/op.h"
#include "penult_model_generated.h"

namespace penult {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

Offset<fbs::Node> write_node(FlatBufferBuilder& builder, const Node& node) {
  std::vector<Offset<fbs::Attribute>> attributes;
  for (const Attribute& attribute : node.attrs.all()) {
    const auto name = builder.CreateString(attribute.name);
    const auto ints = attribute.ints.empty() ? 0 : builder.CreateVector(attribute.ints);
    const auto floats = attribute.floats.empty() ? 0 : builder.CreateVector(attribute.floats);
    attributes.push_back(fbs::CreateAttribute(builder, name, ints, floats));
  }
  return fbs::CreateNode(builder, builder.CreateString(node.name),
                         builder.CreateString(node.op->name), builder.CreateVector(attributes),
                         builder.CreateVector(node.inputs), builder.CreateVector(node.weights),
                         node.output);
}

Offset<fbs::Preprocess> write_preprocess(FlatBufferBuilder& builder, const Preprocess& p) {
  return fbs::CreatePreprocess(builder, static_cast<int32_t>(p.resize_mode), p.resize, p.crop_h,
                               p.crop_w, static_cast<int32_t>(p.filter),
                               static_cast<int32_t>(p.channel_order),
                               builder.CreateVector(p.mean.data(), p.mean.size()),
                               builder.CreateVector(p.std.data(), p.std.size()));
}

std::vector<int64_t> dims_of(const Shape& shape) {
  if (!shape.is_map()) return {shape.c};
  return {shape.c, shape.h, shape.w};
}

// The builder wants every child before its parent, hence one statement a list.
struct Lists {
  std::vector<Offset<fbs::Value>> values;
  std::vector<Offset<fbs::Node>> nodes;
  std::vector<Offset<fbs::Weight>> weights;
  std::vector<Offset<fbs::Tap>> taps;
  std::vector<Offset<fbs::Alias>> aliases;
  std::vector<Offset<fbs::TapGroup>> groups;
};

Lists write_lists(FlatBufferBuilder& builder, const GraphPart& part) {
  const ModelData& model = part.model;
  Lists lists;
  for (size_t i = 0; i < model.graph.values.size(); ++i) {
    lists.values.push_back(fbs::CreateValue(builder,
                                            builder.CreateString(model.graph.values[i].name),
                                            builder.CreateVector(dims_of(part.stored_shapes[i]))));
  }
  for (const Node& node : model.graph.nodes) lists.nodes.push_back(write_node(builder, node));
  for (size_t i = 0; i < part.weights.size(); ++i) {
    const WeightRange& range = part.weights[i];
    lists.weights.push_back(fbs::CreateWeight(builder, builder.CreateString(range.name),
                                              builder.CreateVector(model.graph.weights[i].dims),
                                              range.offset, range.bytes,
                                              builder.CreateVector(range.block_crc32c)));
  }
  for (const Tap& tap : model.taps) {
    lists.taps.push_back(fbs::CreateTap(builder, builder.CreateString(tap.name), tap.value));
  }
  for (const Alias& alias : model.aliases) {
    lists.aliases.push_back(fbs::CreateAlias(builder, builder.CreateString(alias.name), alias.tap));
  }
  for (const TapGroup& group : model.groups) {
    lists.groups.push_back(fbs::CreateTapGroup(builder, builder.CreateString(group.name),
                                               builder.CreateVector(group.taps)));
  }
  return lists;
}

}  // namespace

std::vector<uint8_t> write_graph_part(const GraphPart& part) {
  FlatBufferBuilder builder;
  const ModelInfo& info = part.model.info;
  const Lists lists = write_lists(builder, part);
  const auto values = builder.CreateVector(lists.values);
  const auto nodes = builder.CreateVector(lists.nodes);
  const auto weights = builder.CreateVector(lists.weights);
  const auto taps = builder.CreateVector(lists.taps);
  const auto aliases = builder.CreateVector(lists.aliases);
  const auto groups = builder.CreateVector(lists.groups);
  const auto preprocess = write_preprocess(builder, info.preprocess);
  const auto architecture = builder.CreateString(info.architecture);
  const auto weights_name = builder.CreateString(info.weights_name);
  const auto source_name = builder.CreateString(info.source_name);
  const auto source_sha256 = builder.CreateString(info.source_sha256);
  const auto licence = builder.CreateString(info.licence);
  const auto producer = builder.CreateString(info.producer);
  builder.Finish(fbs::CreateModel(builder, values, nodes, weights, part.model.graph.input,
                                  info.input_c, info.input_h, info.input_w, taps, aliases, groups,
                                  preprocess, architecture, weights_name, source_name,
                                  source_sha256, licence, producer, info.fixed_size));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

}  // namespace penult
