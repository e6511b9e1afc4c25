#pragma once

// conv2d by a graph of cuDNN, and what both libraries share of PreparedKernel.

#include <memory>

#include "kernels/cuda/cudnn/graph.h"
#include "kernels/cuda/cudnn/weights.h"
#include "kernels/prepared.h"

namespace penult::kernels::cudnn {

// Addresses on the device, of one image and those behind it.
struct Operands {
  const std::byte* src;
  const std::byte* residual;  // null: none
  std::byte* dst;

  static Operands of(const BindArgs& args, const Problem& problem);
  // Of a later image.
  Operands at(int64_t image, const Problem& problem, Precision precision) const;
};

Result<std::unique_ptr<PreparedKernel>> prepare_convolution(const PrepareArgs& args,
                                                            Precision precision);

}  // namespace penult::kernels::cudnn
