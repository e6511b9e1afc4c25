#include <array>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/graph/graph.h"
#include "engine/ops/node_args.h"

namespace penult {
namespace {

Status at_node(const Node& node, StatusCode code, const std::string& message) {
  return Status(code, concat("node ", quote(node.name), " (", node.op->name, "): ", message));
}

// Keeps every later product of a shape's dims within 64 bits.
Status check_size(const Shape& shape) {
  const std::array dims = {shape.c, shape.h, shape.w};
  for (const int64_t dim : dims) {
    if (dim < 1 || dim > Graph::kMaxDim) {
      return Status(StatusCode::kModelInvalid,
                    concat("expected dims in 1..", Graph::kMaxDim, ", got ", shape.to_string()));
    }
  }
  const auto elems = checked_product(dims);
  if (!elems || *elems > Graph::kMaxElems) {
    return Status(StatusCode::kLimitExceeded, concat("expected up to ", Graph::kMaxElems,
                                                     " elements, got ", shape.to_string()));
  }
  return Status();
}

// What passes moved into the node must fit its result too.
Status check_fused(const Graph& graph, const Node& node, const Shape& dst) {
  if (node.fused.residual != kNoValue) {
    const Shape& residual = graph.values[static_cast<size_t>(node.fused.residual)].shape;
    if (residual != dst) {
      return Status(StatusCode::kModelInvalid,
                    concat("residual: expected ", dst.to_string(), ", got ", residual.to_string()));
    }
  }
  if (!node.fused.batchnorm) return Status();
  const FoldedBatchnorm& folded = *node.fused.batchnorm;
  for (const WeightId id : {folded.gamma, folded.beta, folded.mean, folded.var}) {
    const WeightInfo& weight = graph.weights[static_cast<size_t>(id)];
    if (weight.dims != std::vector<int64_t>{dst.c}) {
      return Status(StatusCode::kModelInvalid,
                    concat("batchnorm weight ", quote(weight.name), ": expected (", dst.c,
                           "), got ", weight.dims));
    }
  }
  return Status();
}

// Sets the node's resolved attributes and its output's shape, and adds its cost to `macs`.
Status infer_node(Graph& graph, Node& node, uint64_t& macs) {
  const NodeArgs node_args(graph, node);
  node.resolved = node.attrs;
  if (node.op->resolve != nullptr) node.op->resolve(node.resolved, node_args.with(node.attrs));
  const OpArgs args = node_args.with(node.resolved);
  PENULT_ASSIGN_OR_RETURN(const Shape dst, node.op->infer(args));
  PENULT_RETURN_IF_ERROR(check_size(dst));
  PENULT_RETURN_IF_ERROR(check_fused(graph, node, dst));
  graph.values[static_cast<size_t>(node.output)].shape = dst;
  const auto sum = checked_add(macs, node.op->macs(args, dst));
  if (!sum || *sum > Graph::kMaxMacs) {
    return Status(StatusCode::kLimitExceeded,
                  concat("expected up to ", Graph::kMaxMacs,
                         " multiply-accumulates for one image, got more; use a smaller input"));
  }
  macs = *sum;
  return Status();
}

}  // namespace

Status infer_shapes(Graph& graph, int64_t c, int64_t h, int64_t w) {
  const Shape input = Shape::map(c, h, w);
  if (const Status status = check_size(input); !status.ok()) {
    return Status(status.code(), "graph input: " + status.message());
  }
  graph.values[static_cast<size_t>(graph.input)].shape = input;
  uint64_t macs = 0;
  for (Node& node : graph.nodes) {
    const Status status = infer_node(graph, node, macs);
    if (!status.ok()) return at_node(node, status.code(), status.message());
  }
  return Status();
}

}  // namespace penult
