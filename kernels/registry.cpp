#include <array>

#include "kernels/activation/activation.h"
#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d.h"
#include "kernels/add/add.h"
#include "kernels/backend_module.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/concat/concat.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/cuda/load.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/flatten/flatten.h"
#include "kernels/global_avg_pool/global_avg_pool.h"
#include "kernels/linear/linear.h"
#include "kernels/mul/mul.h"
#include "kernels/onednn/load.h"
#include "kernels/pad/pad.h"
#include "kernels/pool2d/pool2d.h"
#include "kernels/slice/slice.h"
#include "kernels/softmax/softmax.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace penult::kernels {

std::span<const Table> all_tables() {
  // Of two tables for one operator, the special one first.
  // One a line, so that a new one is one line more.
  // clang-format off
  static const std::array tables = {
      kDepthwiseConv2dTable,
      kWinogradConv2dTable,
      kConv2dTable,
      kActivationTable,
      kAdaptiveAvgPool2dTable,
      kAddTable,
      kAvgPool2dTable,
      kBatchnormTable,
      kConcatTable,
      kFlattenTable,
      kGlobalAvgPoolTable,
      kLinearTable,
      kMaxPool2dTable,
      kMulTable,
      kPadTable,
      kSliceTable,
      kSoftmaxTable,
  };
  // clang-format on
  return tables;
}

std::span<const ModuleEntry> all_modules() {
  static constexpr ModuleEntry kModules[] = {
      {DeviceKind::kCpu, Backend::kOnednn, load_onednn},
      {DeviceKind::kCuda, Backend::kNative, load_cuda},
      {DeviceKind::kCuda, Backend::kCudnn, load_cuda},
      {DeviceKind::kEmulated, Backend::kNative, load_emulated},
  };
  return kModules;
}

}  // namespace penult::kernels
