#include "kernels/cuda/tables.h"

#include <array>

#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d_cuda.h"
#include "kernels/concat/concat_cuda.h"
#include "kernels/conv2d/conv2d_cuda.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d_cuda.h"
#include "kernels/flatten/flatten_cuda.h"
#include "kernels/global_avg_pool/global_avg_pool_cuda.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/pad/pad_cuda.h"
#include "kernels/pointwise/pointwise_cuda.h"
#include "kernels/pool2d/pool2d_cuda.h"
#include "kernels/slice/slice_cuda.h"
#include "kernels/softmax/softmax_cuda.h"
#include "kernels/squeeze_excitation/squeeze_excitation_cuda.h"

namespace penult::kernels::cuda {

std::span<const Table> gpu_tables() {
  // Of two tables for one operator, the special one first.
  // One a line, so that a new one is one line more.
  // clang-format off
  static const std::array tables = {
      kDepthwiseConv2dCudaTable,
      kConv2dCudaTable,
      kActivationCudaTable,
      kAdaptiveAvgPool2dCudaTable,
      kAddCudaTable,
      kAvgPool2dCudaTable,
      kBatchnormCudaTable,
      kConcatCudaTable,
      kFlattenCudaTable,
      kGlobalAvgPoolCudaTable,
      kLinearCudaTable,
      kMaxPool2dCudaTable,
      kMulCudaTable,
      kPadCudaTable,
      kSliceCudaTable,
      kSoftmaxCudaTable,
      kSqueezeExcitationCudaTable,
  };
  // clang-format on
  return tables;
}

}  // namespace penult::kernels::cuda
