#pragma once

// dst = activation(convolution(src, weights) [+ residual] + bias) as one graph of cuDNN, in f32
// between src and dst. cuDNN has one kernel for it, or refuses it; it never splits it.
//
// The residual comes before the bias, which changes no more than the rounding of an f32 sum,
// because cuDNN brings kernels along for exactly that: with a bias of the maps' type and no
// activation or ReLU. For all else in f16 it compiles some when a plan is made, about a second each
// (9.19).
//
// Without a device a graph can still be checked and engines be proposed for it, for the properties
// of a device (Target::of_properties), even plans be made of kernels that need not be compiled;
// tests do. To compile takes the driver.

#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/cudnn/descriptor.h"
#include "kernels/cuda/cudnn/handles.h"
#include "kernels/kernel.h"

namespace penult::kernels::cudnn {

// A problem for n images, with the channels that maps on the device have.
struct Convolution {
  Precision precision;
  int64_t n, ic, ih, iw, oc, oh, ow;
  int64_t kh, kw, sh, sw, dh, dw;
  int64_t top, left, bottom, right;
  int64_t groups;
  bool residual;
  bool clamps;
  float upper;  // of [0, upper], if clamps; may be infinite
  Precision bias;
};

// cuDNN writes dimensions as (n, c, h, w) however they lie; also of weights (oc, ic, kh, kw), as
// ohwi.
std::vector<int64_t> nhwc_strides(const std::vector<int64_t>& dims);

// The maps' where that gives kernels that need not be compiled, else f32.
Precision bias_precision(const Problem& problem, Precision precision);

// Looks at shapes, attributes and epilogue only; the problem is one that cudnn's rows accept.
Convolution convolution_of(const Problem& problem, int64_t n, Precision precision);

// The device that graphs are made for.
class Target {
 public:
  static Target of_handle(CudnnHandle handle);
  static Result<Target> of_properties(const Cudnn& cudnn, const std::string& json);

  // Null if the target is described by properties.
  cudnnHandle_t handle() const { return handle_.get(); }
  const Descriptor& properties() const { return properties_; }

 private:
  CudnnHandle handle_;
  Descriptor properties_;
};

// What cuDNN may compute with, and what it says of its rounding.
struct EngineConfig {
  Descriptor config;
  int64_t engine = 0;
  std::vector<cudnnBackendNumericalNote_t> notes;
};

class ConvolutionGraph {
 public:
  // Of the tensors in execute().
  enum Uid : int64_t { kSrc = 1, kWeights, kBias, kResidual, kDst };

  static Result<ConvolutionGraph> make(const Cudnn& cudnn, const Convolution& convolution,
                                       const Target& target);

  // What the heuristics propose, best first.
  Result<std::vector<EngineConfig>> proposals(const Target& target,
                                              cudnnBackendHeurMode_t mode) const;
  const Convolution& convolution() const { return convolution_; }

 private:
  ConvolutionGraph(const Cudnn& cudnn, const Convolution& convolution)
      : cudnn_(&cudnn), convolution_(convolution) {}
  Status add_tensor(int64_t uid, cudnnDataType_t type, bool is_virtual,
                    const std::vector<int64_t>& dims, const std::vector<int64_t>& strides,
                    size_t* index);
  Status add_map(int64_t uid, bool is_virtual, int64_t c, int64_t h, int64_t w, size_t* index);
  Status add_convolution(size_t dst);
  Status add_epilogue();
  Status add_pointwise(cudnnPointwiseMode_t mode, size_t x, std::optional<size_t> b, size_t dst);

  const Cudnn* cudnn_;
  Convolution convolution_;
  // Kept, for it is not documented that cuDNN copies what they say.
  std::vector<Descriptor> tensors_, others_, operations_;
  Descriptor graph_;
};

// Whether the sums are what the row promises: in f32 and of f32 products for maps of f32, in f32
// for maps of f16; the same bits at each run; direct.
bool keeps_promises(const EngineConfig& config, Precision precision);

struct Plan {
  Descriptor plan;
  size_t workspace_bytes = 0;
  int64_t engine = 0;
};

// Of the best proposal that keeps the promises and that cuDNN can build here. kRefusesLayer if
// there is none.
Result<Plan> make_plan(const Cudnn& cudnn, const ConvolutionGraph& graph, const Target& target);

}  // namespace penult::kernels::cudnn
