#pragma once

// conv2d by a graph of cuDNN, and what both libraries share of PreparedKernel.

#include <memory>

#include "kernels/cuda/cudnn/graph.h"
#include "kernels/cuda/cudnn/weights.h"
#include "kernels/prepared.h"

namespace penult::kernels::cudnn {

// Addresses on the device.
struct Operands {
  const std::byte* src;
  const std::byte* residual;  // null: none
  std::byte* dst;

  static Operands of(const BindArgs& args, const Problem& problem);
};

Result<std::unique_ptr<PreparedKernel>> prepare_convolution(const PrepareArgs& args,
                                                            Precision precision);
// For any target. What is bound to one that is only described has no handle to be run with.
Result<std::unique_ptr<PreparedKernel>> prepare_convolution(const Cudnn& cudnn, Target target,
                                                            const PrepareArgs& args,
                                                            Precision precision);

}  // namespace penult::kernels::cudnn
