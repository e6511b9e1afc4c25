#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/graph/graph.h"
#include "kernels/kernel.h"

namespace penult {

// Bytes of the node's slots.
uint64_t folded_weights_bytes(const Graph& graph, const Node& node);

// A node's weights by slot, in the source's order. If a batchnorm was folded into it, computes in
// double
//   scale = gamma / sqrt(var + eps);  weight'[oc,...] = weight[oc,...] * scale[oc];
//   bias'[oc] = beta[oc] + (bias[oc] - mean[oc]) * scale[oc]
// (Ioffe and Szegedy 2015, inference form), rounding once to float. Slot 1 then always exists.
//
// Slot 0 is read when it is asked for, some of its channels at a time if a kernel wants no more: in
// the cache they are read, verified, folded and packed, where the whole would go through memory for
// each.
class FoldedWeights : public kernels::Weights {
 public:
  // Reads all but slot 0, which will be in `room`: what it held is lost.
  // Errors: those of the weight source; ModelInvalid if a variance + eps is not positive.
  static Result<std::unique_ptr<FoldedWeights>> open(const Graph& graph, const Node& node,
                                                     AlignedBuffer& room);

  std::span<const float> operator[](size_t slot) override;
  std::span<const float> channels(kernels::Range range) override;

  // To be asked after pack(): the first error in reading slot 0, which is that of the weight
  // source, or OutOfMemory. What was not read was not verified, which is Internal.
  Status finish() const;

 private:
  FoldedWeights(const Graph& graph, const Node& node, AlignedBuffer& room)
      : graph_(graph), node_(node), room_(room) {}
  Status read_all_but_first();
  Status fold_bias();
  Status load(kernels::Range range);
  void scale(kernels::Range range, float* weight) const;

  const Graph& graph_;
  const Node& node_;
  AlignedBuffer& room_;
  std::unique_ptr<WeightStream> stream_;   // of slot 0, from channel `loaded_.end` on
  std::vector<std::vector<float>> slots_;  // all but the first
  std::vector<double> scales_;             // of each channel; empty: no batchnorm
  int64_t oc_ = 0, each_ = 0;              // channels of slot 0, floats of one
  kernels::Range loaded_;                  // channels in the room
  Status status_;
};

}  // namespace penult
