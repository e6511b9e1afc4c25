#include "kernels/cuda/cudnn/graph.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/cuda/row.h"

namespace penult::kernels::cudnn {
namespace {

using Dims = std::vector<int64_t>;

constexpr int64_t kAlignment = 16;  // of all operands
// All steps of a plan share it; the largest seen for 32 images is 154 MB.
constexpr int64_t kMaxWorkspace = 256 << 20;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

cudnnDataType_t data_type(Precision precision) {
  return precision == Precision::kF32 ? CUDNN_DATA_FLOAT : CUDNN_DATA_HALF;
}

Result<Descriptor> describe_window(const Cudnn& cudnn, const Convolution& c) {
  const Dims before = {c.top, c.left}, after = {c.bottom, c.right};
  const Dims strides = {c.sh, c.sw}, dilations = {c.dh, c.dw};
  return Builder(cudnn, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, "describe a convolution")
      .set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t{2})
      .set_all(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, std::span<const int64_t>(before))
      .set_all(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, std::span<const int64_t>(after))
      .set_all(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, std::span<const int64_t>(strides))
      .set_all(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::span<const int64_t>(dilations))
      .finalize();
}

}  // namespace

Dims nhwc_strides(const Dims& d) { return {d[1] * d[2] * d[3], 1, d[3] * d[1], d[1]}; }

Precision bias_precision(const Problem& problem, Precision precision) {
  const Activation& activation = problem.epilogue.activation;
  const bool clips = activation.kind == Activation::Kind::kClamp && activation.b < kInfinity;
  return clips || conv2d_geometry(problem).groups > 1 ? Precision::kF32 : precision;
}

Convolution convolution_of(const Problem& problem, int64_t n, Precision precision) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  const Halo halo = conv2d_halo(problem, 0);
  const Activation& activation = problem.epilogue.activation;
  const bool is_depthwise = g.groups > 1;
  return {.precision = precision,
          .n = n,
          .ic = cuda::padded(g.ic),
          .ih = g.ih,
          .iw = g.iw,
          .oc = cuda::padded(g.oc),
          .oh = g.oh,
          .ow = g.ow,
          .kh = g.kh,
          .kw = g.kw,
          .sh = g.sh,
          .sw = g.sw,
          .dh = g.dh,
          .dw = g.dw,
          .top = halo.top,
          .left = halo.left,
          .bottom = halo.bottom,
          .right = halo.right,
          .groups = is_depthwise ? cuda::padded(g.groups) : 1,
          .residual = problem.epilogue.residual,
          .clamps = activation.kind == Activation::Kind::kClamp,
          .upper = activation.b,
          .bias = bias_precision(problem, precision)};
}

Target Target::of_handle(CudnnHandle handle) {
  Target target;
  target.handle_ = std::move(handle);
  return target;
}

Result<Target> Target::of_properties(const Cudnn& cudnn, const std::string& json) {
  if (cudnn.version < kCudnnWithDeviceProperties) {
    return Status(StatusCode::kDevice,
                  concat("backend cudnn: planning without a device needs cuDNN ",
                         kCudnnWithDeviceProperties, ", got ", cudnn.version));
  }
  auto properties =
      Builder(cudnn, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, "describe a device")
          .set_all(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                   std::span<const char>(json.c_str(), json.size() + 1))  // with the zero
          .finalize();
  if (!properties.ok()) return as_failure(properties.status());
  Target target;
  target.properties_ = std::move(properties).value();
  return target;
}

Status ConvolutionGraph::add_tensor(int64_t uid, cudnnDataType_t type, bool is_virtual,
                                    const Dims& dims, const Dims& strides, size_t* index) {
  PENULT_ASSIGN_OR_RETURN(Descriptor tensor,
                          Builder(*cudnn_, CUDNN_BACKEND_TENSOR_DESCRIPTOR, "describe a tensor")
                              .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, uid)
                              .set(CUDNN_ATTR_TENSOR_DATA_TYPE, type)
                              .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual)
                              .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kAlignment)
                              .set_all(CUDNN_ATTR_TENSOR_DIMENSIONS, std::span<const int64_t>(dims))
                              .set_all(CUDNN_ATTR_TENSOR_STRIDES, std::span<const int64_t>(strides))
                              .finalize());
  *index = tensors_.size();
  tensors_.push_back(std::move(tensor));
  return {};
}

Status ConvolutionGraph::add_map(int64_t uid, bool is_virtual, int64_t c, int64_t h, int64_t w,
                                 size_t* index) {
  const Dims dims = {convolution_.n, c, h, w};
  const auto type = is_virtual ? CUDNN_DATA_FLOAT : data_type(convolution_.precision);
  return add_tensor(uid, type, is_virtual, dims, nhwc_strides(dims), index);
}

Status ConvolutionGraph::add_convolution(size_t dst) {
  const Convolution& c = convolution_;
  size_t src = 0, weights = 0;
  const Dims weight_dims = {c.oc, c.ic / c.groups, c.kh, c.kw};
  PENULT_RETURN_IF_ERROR(add_map(kSrc, false, c.ic, c.ih, c.iw, &src));
  PENULT_RETURN_IF_ERROR(add_tensor(kWeights, data_type(c.precision), false, weight_dims,
                                    nhwc_strides(weight_dims), &weights));
  PENULT_ASSIGN_OR_RETURN(Descriptor window, describe_window(*cudnn_, c));
  PENULT_ASSIGN_OR_RETURN(
      Descriptor operation,
      Builder(*cudnn_, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, "add a convolution")
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, window)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, tensors_[src])
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, tensors_[weights])
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, tensors_[dst])
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0)
          .finalize());
  others_.push_back(std::move(window));
  operations_.push_back(std::move(operation));
  return {};
}

// dst = x + b, or the clamp of x. cuDNN's own clips are 0 and none.
Status ConvolutionGraph::add_pointwise(cudnnPointwiseMode_t mode, size_t x, std::optional<size_t> b,
                                       size_t dst) {
  Builder what(*cudnn_, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, "describe an epilogue");
  what.set(CUDNN_ATTR_POINTWISE_MODE, mode).set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  const bool is_relu = mode == CUDNN_POINTWISE_RELU_FWD;
  if (is_relu && convolution_.upper < kInfinity)
    what.set(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, static_cast<double>(convolution_.upper));
  PENULT_ASSIGN_OR_RETURN(Descriptor pointwise, what.finalize());
  Builder operation(*cudnn_, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "add an epilogue");
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensors_[x])
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensors_[dst]);
  if (b) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensors_[*b]);
  PENULT_ASSIGN_OR_RETURN(Descriptor finished, operation.finalize());
  others_.push_back(std::move(pointwise));
  operations_.push_back(std::move(finished));
  return {};
}

Status ConvolutionGraph::add_epilogue() {
  const Convolution& c = convolution_;
  int64_t next_virtual = kDst + 1;
  size_t value = 0;
  const auto add_value = [&](bool is_last) {
    const int64_t uid = is_last ? static_cast<int64_t>(kDst) : next_virtual++;
    return add_map(uid, !is_last, c.oc, c.oh, c.ow, &value);
  };
  PENULT_RETURN_IF_ERROR(add_value(false));
  PENULT_RETURN_IF_ERROR(add_convolution(value));
  const auto append = [&](cudnnPointwiseMode_t mode, std::optional<size_t> b, bool is_last) {
    const size_t x = value;
    const Status status = add_value(is_last);
    return status.ok() ? add_pointwise(mode, x, b, value) : status;
  };
  size_t bias = 0, residual = 0;
  if (c.residual) {
    PENULT_RETURN_IF_ERROR(add_map(kResidual, false, c.oc, c.oh, c.ow, &residual));
    PENULT_RETURN_IF_ERROR(append(CUDNN_POINTWISE_ADD, residual, false));
  }
  const Dims bias_dims = {1, c.oc, 1, 1};
  PENULT_RETURN_IF_ERROR(
      add_tensor(kBias, data_type(c.bias), false, bias_dims, nhwc_strides(bias_dims), &bias));
  PENULT_RETURN_IF_ERROR(append(CUDNN_POINTWISE_ADD, bias, !c.clamps));
  return c.clamps ? append(CUDNN_POINTWISE_RELU_FWD, {}, true) : Status();
}

Result<ConvolutionGraph> ConvolutionGraph::make(const Cudnn& cudnn, const Convolution& convolution,
                                                const Target& target) {
  ConvolutionGraph graph(cudnn, convolution);
  PENULT_RETURN_IF_ERROR(graph.add_epilogue());
  Builder builder(cudnn, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "make a graph");
  builder.set_all(CUDNN_ATTR_OPERATIONGRAPH_OPS, graph.operations_);
  if (target.handle() != nullptr) builder.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, target.handle());
  PENULT_ASSIGN_OR_RETURN(graph.graph_, builder.finalize());
  return graph;
}

Result<std::vector<EngineConfig>> ConvolutionGraph::proposals(const Target& target,
                                                              cudnnBackendHeurMode_t mode) const {
  const Cudnn& cudnn = *cudnn_;
  Builder builder(cudnn, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, "ask for engines");
  builder.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph_).set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  if (target.handle() == nullptr)
    builder.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, target.properties());
  PENULT_ASSIGN_OR_RETURN(const Descriptor heuristics, builder.finalize());

  constexpr auto kResults = CUDNN_ATTR_ENGINEHEUR_RESULTS;
  constexpr auto kDescriptor = CUDNN_TYPE_BACKEND_DESCRIPTOR;
  int64_t count = 0;
  const auto read = [&](const Descriptor& from, cudnnBackendAttributeName_t name, int64_t capacity,
                        cudnnBackendDescriptor_t* to) {
    return answer_of(cudnn,
                     cudnn.get_attribute(from.get(), name, kDescriptor, capacity, &count, to),
                     "read the engines");
  };
  PENULT_RETURN_IF_ERROR(read(heuristics, kResults, 0, nullptr));
  std::vector<EngineConfig> configs(static_cast<size_t>(count));
  std::vector<cudnnBackendDescriptor_t> raw;
  for (EngineConfig& config : configs) {
    PENULT_ASSIGN_OR_RETURN(config.config,
                            empty_descriptor(cudnn, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
    raw.push_back(config.config.get());
  }
  PENULT_RETURN_IF_ERROR(read(heuristics, kResults, count, raw.data()));
  configs.resize(static_cast<size_t>(count));
  for (EngineConfig& config : configs) {
    PENULT_ASSIGN_OR_RETURN(const Descriptor engine,
                            empty_descriptor(cudnn, CUDNN_BACKEND_ENGINE_DESCRIPTOR));
    cudnnBackendDescriptor_t raw_engine = engine.get();
    PENULT_RETURN_IF_ERROR(read(config.config, CUDNN_ATTR_ENGINECFG_ENGINE, 1, &raw_engine));
    PENULT_ASSIGN_OR_RETURN(const auto index,
                            read_attribute<int64_t>(cudnn, engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
    config.engine = index.at(0);
    PENULT_ASSIGN_OR_RETURN(config.notes, read_attribute<cudnnBackendNumericalNote_t>(
                                              cudnn, engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                              CUDNN_NUMERICAL_NOTE_TYPE_COUNT));
  }
  return configs;
}

bool keeps_promises(const EngineConfig& config, Precision precision) {
  return std::ranges::none_of(config.notes, [&](cudnnBackendNumericalNote_t note) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:  // of f32 it would make TF32
        return precision == Precision::kF32;
      case CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP:
        return false;
      default:
        return true;
    }
  });
}

namespace {

// Null if it wants more workspace than there is.
Result<std::optional<Plan>> build_plan(const Cudnn& cudnn, const EngineConfig& config,
                                       const Target& target) {
  Builder builder(cudnn, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, "make a plan");
  builder.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config.config);
  if (target.handle() != nullptr) {
    builder.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle());
  } else {
    builder.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, target.properties());
  }
  PENULT_ASSIGN_OR_RETURN(Descriptor plan, builder.finalize());
  PENULT_ASSIGN_OR_RETURN(
      const auto workspace,
      read_attribute<int64_t>(cudnn, plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
  if (workspace.at(0) > kMaxWorkspace) return std::optional<Plan>();
  return std::optional(Plan{std::move(plan), static_cast<size_t>(workspace[0]), config.engine});
}

}  // namespace

// An engine that fails is passed by. What was no refusal is remembered, for then another row would
// not help.
Result<Plan> make_plan(const Cudnn& cudnn, const ConvolutionGraph& graph, const Target& target) {
  Status why(kRefusesLayer, "backend cudnn: no engine of cuDNN takes this convolution");
  const auto note = [&why](const Status& status) {
    if (why.code() == kRefusesLayer) why = status;
  };
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    const auto configs = graph.proposals(target, mode);
    if (!configs.ok()) {
      note(configs.status());
      continue;
    }
    for (const EngineConfig& config : *configs) {
      if (!keeps_promises(config, graph.convolution().precision)) continue;
      auto plan = build_plan(cudnn, config, target);
      if (!plan.ok()) {
        note(plan.status());
      } else if (plan->has_value()) {
        return std::move(**plan);
      }
    }
  }
  return why;
}

}  // namespace penult::kernels::cudnn
