// Each bug is a name redefined in the kernel's own source, which is compiled once more in another
// namespace. What the sources include is included before, so that nothing else sees the change.

#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/cuda/flat.cuh"
#include "kernels/depthwise_conv2d/depthwise_conv2d_cuda.h"
#include "kernels/global_avg_pool/global_avg_pool_cuda.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/pad/pad_cuda.h"
#include "kernels/softmax/softmax_cuda.h"
#include "kernels/squeeze_excitation/squeeze_excitation_cuda.h"
#include "tests/kernels/cuda/operators_mutations.h"

namespace penult::gpu {
GPU_FN void no_barrier() {}
GPU_FN void barrier_if(bool wanted) {
  if (wanted) sync_block();
}
GPU_FN float shuffle_half_a_warp(float x, int mask) { return shuffle_xor(x, mask % 16); }
}  // namespace penult::gpu

namespace penult::kernels {
namespace without_barrier {
using namespace cuda;
}
namespace without_bounds {
using namespace cuda;
}
namespace without_upper_lanes {
using namespace cuda;
}
}  // namespace penult::kernels

#define cuda without_barrier
#define sync_block no_barrier
#include "kernels/global_avg_pool/global_avg_pool_cuda.cu"
#define kThreads kThreadsOfSoftmax
#include "kernels/softmax/softmax_cuda.cu"
#undef kThreads
#undef sync_block
#undef cuda

#define cuda without_bounds
#define is_inside(i, size) ((size) > 0)
#include "kernels/depthwise_conv2d/depthwise_conv2d_cuda.cu"
#include "kernels/pad/pad_cuda.cu"
#undef is_inside
#undef cuda

// Of three barriers one is missing each time: __COUNTER__ tells which is which.
namespace penult::kernels {
namespace without_first {
using namespace cuda;
constexpr int kMissing = __COUNTER__ + 1;
}  // namespace without_first
}  // namespace penult::kernels
#define sync_block() barrier_if(__COUNTER__ != kMissing)
#define cuda without_first
#include "kernels/squeeze_excitation/squeeze_excitation_cuda.cu"
#undef cuda
namespace penult::kernels {
namespace without_second {
using namespace cuda;
constexpr int kMissing = __COUNTER__ + 2;
}  // namespace without_second
}  // namespace penult::kernels
#define cuda without_second
#include "kernels/squeeze_excitation/squeeze_excitation_cuda.cu"
#undef cuda
namespace penult::kernels {
namespace without_third {
using namespace cuda;
constexpr int kMissing = __COUNTER__ + 3;
}  // namespace without_third
}  // namespace penult::kernels
#define cuda without_third
#include "kernels/squeeze_excitation/squeeze_excitation_cuda.cu"
#undef cuda
#undef sync_block

#define cuda without_upper_lanes
#define shuffle_xor shuffle_half_a_warp
#include "kernels/linear/linear_cuda.cu"
#undef shuffle_xor
#undef cuda

namespace penult::testing {
namespace {

using kernels::Precision;
using kernels::Problem;
using kernels::Weights;
using kernels::cuda::GpuRow;
using kernels::cuda::linear_weights;
using kernels::cuda::row;

constexpr GpuRow kSum = {.name = "global_avg_pool without barrier",
                         .precision = Precision::kF32,
                         .launch = kernels::without_barrier::launch_global_avg_pool<float>};
constexpr GpuRow kSoftmax = {.name = "softmax without barrier",
                             .precision = Precision::kF32,
                             .launch = kernels::without_barrier::launch_softmax<float>};
constexpr GpuRow kDepthwise = {.name = "depthwise without bounds",
                               .precision = Precision::kF16,
                               .launch = kernels::without_bounds::launch_depthwise<gpu::Half>,
                               .packed_bytes = kernels::cuda::depthwise_bytes,
                               .pack = kernels::cuda::pack_depthwise};
constexpr GpuRow kPad = {.name = "pad without bounds",
                         .precision = Precision::kF32,
                         .launch = kernels::without_bounds::launch_pad<float>};
constexpr GpuRow kLinear = {
    .name = "linear without upper lanes",
    .precision = Precision::kF32,
    .launch = kernels::without_upper_lanes::launch_linear<float>,
    .packed_bytes =
        [](const Problem& problem) { return linear_weights(problem, Precision::kF32).bytes(); },
    .pack =
        [](const Problem& problem, Weights& weights, std::byte* packed) {
          return linear_weights(problem, Precision::kF32).pack(weights, packed);
        }};

template <gpu::Error (*kLaunch)(const kernels::cuda::GpuArgs&)>
constexpr GpuRow squeeze_excitation(const char* name) {
  using kernels::cuda::SqueezeExcitationWeights;
  return {.name = name,
          .precision = Precision::kF32,
          .launch = kLaunch,
          .packed_bytes =
              [](const Problem& problem) {
                return SqueezeExcitationWeights::of(problem, Precision::kF32).bytes();
              },
          .pack =
              [](const Problem& problem, Weights& weights, std::byte* packed) {
                return SqueezeExcitationWeights::of(problem, Precision::kF32).pack(weights, packed);
              }};
}
constexpr GpuRow kWithoutFirst =
    squeeze_excitation<kernels::without_first::launch_squeeze_excitation<float>>(
        "squeeze_excitation without the barrier before means");
constexpr GpuRow kWithoutSecond =
    squeeze_excitation<kernels::without_second::launch_squeeze_excitation<float>>(
        "squeeze_excitation without the barrier before the first layer");
constexpr GpuRow kWithoutThird =
    squeeze_excitation<kernels::without_third::launch_squeeze_excitation<float>>(
        "squeeze_excitation without the barrier before the second layer");
constexpr kernels::Kernel kSqueezeExcitations[] = {row<kWithoutFirst>(), row<kWithoutSecond>(),
                                                   row<kWithoutThird>()};

// Small maps: what is read beside them is still in the emulator's red zones.
constexpr Mutation kMutations[] = {
    {"barrier_in_global_avg_pool", "global_avg_pool src=40x7x7", row<kSum>(), true},
    {"barrier_in_softmax", "softmax src=1000", row<kSoftmax>(), true},
    {"bounds_in_depthwise", "conv2d src=8x3x3 oc=8 k=3x3 p=1,1,1,1 g=8", row<kDepthwise>(), true},
    {"bounds_in_pad", "pad src=8x3x5 p=1,2,0,3", row<kPad>(), true},
    {"lanes_in_linear", "linear src=200 oc=9", row<kLinear>(), false},
};

}  // namespace

std::span<const Mutation> operator_mutations() { return kMutations; }
std::span<const kernels::Kernel> squeeze_excitation_mutations() { return kSqueezeExcitations; }

}  // namespace penult::testing
