#include "engine/exec/reference_executor.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/exec/deliver.h"
#include "engine/ops/op.h"
#include "engine/plan/fold_weights.h"

namespace penult {
namespace {

// nhwc without a halo.
kernels::TensorDesc plain_desc(const Shape& shape) {
  kernels::TensorDesc desc{.shape = shape};
  desc.pixel_stride = static_cast<int64_t>(
      align_up(static_cast<uint64_t>(shape.c), static_cast<uint64_t>(kernels::kChannelPad)));
  desc.row_stride = shape.w * desc.pixel_stride;
  desc.image_stride = shape.h * desc.row_stride;
  return desc;
}

const kernels::Kernel* reference_kernel(const kernels::Problem& problem) {
  for (const kernels::Table& table : kernels::all_tables()) {
    if (table.op != problem.op) continue;
    for (const kernels::Kernel& kernel : table.kernels) {
      if (kernel.backend == kernels::Backend::kReference && kernel.declines(problem).empty()) {
        return &kernel;
      }
    }
  }
  return nullptr;
}

Result<AlignedBuffer> allocate_value(const Shape& shape, int64_t n) {
  return AlignedBuffer::allocate(static_cast<size_t>(plain_desc(shape).image_stride * n) *
                                 sizeof(float));
}

}  // namespace

ReferenceExecutor::ReferenceExecutor(Graph graph, std::vector<Delivery> deliveries)
    : graph_(std::move(graph)), deliveries_(std::move(deliveries)) {}

Result<std::unique_ptr<ReferenceExecutor>> ReferenceExecutor::create(
    Graph graph, std::vector<Delivery> deliveries) {
  std::unique_ptr<ReferenceExecutor> executor(
      new ReferenceExecutor(std::move(graph), std::move(deliveries)));
  AlignedBuffer room;
  for (const Node& node : executor->graph_.nodes) {
    Layer layer{.kernel = nullptr, .problem = describe(executor->graph_, node), .packed = {}};
    layer.kernel = reference_kernel(layer.problem);
    if (layer.kernel == nullptr) {
      return Status(StatusCode::kModelInvalid, concat("node ", quote(node.name), " (",
                                                      node.op->name, "): no reference kernel"));
    }
    for (auto& src : layer.problem.src) src = plain_desc(src.shape);
    layer.problem.dst = plain_desc(layer.problem.dst.shape);
    PENULT_ASSIGN_OR_RETURN(layer.packed,
                            AlignedBuffer::allocate(layer.kernel->packed_bytes(layer.problem)));
    PENULT_ASSIGN_OR_RETURN(const auto weights, FoldedWeights::open(executor->graph_, node, room));
    layer.kernel->pack(layer.problem, *weights, layer.packed.data());
    PENULT_RETURN_IF_ERROR(weights->finish());
    executor->layers_.push_back(std::move(layer));
  }
  return executor;
}

Status ReferenceExecutor::run(const InputImages& images, int64_t n,
                              std::span<const std::span<float>> features,
                              std::span<double> /*step_ms*/) {
  std::vector<AlignedBuffer> values(graph_.values.size());
  const Shape& input = graph_.values[graph_.input].shape;
  PENULT_ASSIGN_OR_RETURN(values[graph_.input], allocate_value(input, n));
  const Part whole{0, 1};
  copy_input(images, plain_desc(input), values[graph_.input].floats(), n, whole);
  for (size_t i = 0; i < layers_.size(); ++i) PENULT_RETURN_IF_ERROR(run_layer(i, n, values));
  for (size_t i = 0; i < deliveries_.size(); ++i) {
    const ValueId value = deliveries_[i].value;
    deliver(plain_desc(graph_.values[value].shape), values[value].floats(), deliveries_[i].pooling,
            features[i].data(), n, whole);
  }
  return {};
}

Status ReferenceExecutor::run_layer(size_t index, int64_t n, std::vector<AlignedBuffer>& values) {
  const Node& node = graph_.nodes[index];
  const Layer& layer = layers_[index];
  PENULT_ASSIGN_OR_RETURN(values[node.output], allocate_value(graph_.values[node.output].shape, n));
  std::vector<const float*> src;
  for (const ValueId input : node.inputs) src.push_back(values[input].floats());
  PENULT_ASSIGN_OR_RETURN(AlignedBuffer scratch,
                          AlignedBuffer::allocate(layer.kernel->scratch_bytes(layer.problem)));
  layer.kernel->run({.problem = layer.problem,
                     .n = n,
                     .src = src.data(),
                     .residual = nullptr,
                     .dst = values[node.output].floats(),
                     .packed = layer.packed.data(),
                     .scratch = scratch.data(),
                     .thread = 0,
                     .threads = 1});
  return {};
}

uint64_t ReferenceExecutor::weight_bytes() const {
  uint64_t bytes = 0;
  for (const Layer& layer : layers_) bytes += layer.packed.bytes();
  return bytes;
}

}  // namespace penult
