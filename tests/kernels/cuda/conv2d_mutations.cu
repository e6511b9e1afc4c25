#include <cstring>
#include <vector>

#include "kernels/conv2d/conv2d_f16_cuda.cuh"
#include "kernels/conv2d/conv2d_f32_cuda.cuh"
#include "kernels/conv2d/conv2d_row_cuda.h"
#include "kernels/conv2d/conv2d_stem_cuda.cuh"
#include "tests/kernels/cuda/conv2d_mutations.h"

namespace penult::testing {
namespace {

using gpu::emulated::Kind;
using kernels::accepts_all;
using kernels::Kernel;
using kernels::Problem;
using kernels::Weights;
using namespace kernels::cuda;

template <Mutation kMutation>
constexpr GpuRow f16_row(const char* name) {
  return conv2d_row<gpu::Half, launch_f16<F16Tile64, kMutation>>(name, accepts_all);
}

template <Mutation kMutation>
constexpr GpuRow f32_row(const char* name) {
  return conv2d_row<float, launch_f32<kMutation>>(name, accepts_all);
}

constexpr GpuRow kTile128 =
    conv2d_row<gpu::Half, launch_f16<F16Tile128>>("f16_tile_128", accepts_all);
constexpr GpuRow kTile64 = f16_row<Mutation::kNone>("f16_tile_64");
constexpr GpuRow kF32 = f32_row<Mutation::kNone>("f32_tile");

constexpr GpuRow kNoPipelineBarrier =
    f16_row<Mutation::kNoPipelineBarrier>("f16_no_pipeline_barrier");
constexpr GpuRow kWaitOffByOne = f16_row<Mutation::kWaitOffByOne>("f16_wait_off_by_one");
constexpr GpuRow kRefillBeforeBarrier =
    f16_row<Mutation::kRefillBeforeBarrier>("f16_refill_before_barrier");
constexpr GpuRow kBarrierBeforeWait =
    f16_row<Mutation::kBarrierBeforeWait>("f16_barrier_before_wait");
constexpr GpuRow kNoEpilogueBarrier =
    f16_row<Mutation::kNoEpilogueBarrier>("f16_no_epilogue_barrier");
constexpr GpuRow kNoRowBoundF16 = f16_row<Mutation::kNoRowBound>("f16_no_row_bound");

constexpr GpuRow kNoBarrierAfterFill =
    f32_row<Mutation::kNoBarrierAfterFill>("f32_no_barrier_after_fill");
constexpr GpuRow kNoBarrierBeforeFill =
    f32_row<Mutation::kNoBarrierBeforeFill>("f32_no_barrier_before_fill");
constexpr GpuRow kTailNotZeroed = f32_row<Mutation::kTailNotZeroed>("f32_tail_not_zeroed");
constexpr GpuRow kNoRowBoundF32 = f32_row<Mutation::kNoRowBound>("f32_no_row_bound");

constexpr GpuRow kStemNoBarrier =
    conv2d_row<float, launch_stem<float, Mutation::kNoBarrierAfterFill>>("stem_no_barrier",
                                                                         accepts_all);
constexpr GpuRow kStemNoRowBound =
    conv2d_row<gpu::Half, launch_stem<gpu::Half, Mutation::kNoRowBound>>("stem_no_row_bound",
                                                                         accepts_all);

// Behind the weights lies the bias, which is a number like any other. So that what is read there is
// behind everything, the bias comes first here.
size_t bias_bytes(const Problem& problem) {
  const OhwiWeights weights = conv2d_weights(problem, kernels::Precision::kF32);
  return weights.bytes() - weights.bias_offset();
}

size_t weights_bytes(const Problem& problem) {
  return static_cast<size_t>(conv2d_weights(problem, kernels::Precision::kF32).elems()) *
         sizeof(float);
}

gpu::Error launch_weights_last(const Conv2dParams<float>& params, gpu::Stream stream) {
  Conv2dParams<float> p = params;
  p.bias = params.weights;
  p.weights = params.weights + params.oc;
  return launch_f32<Mutation::kNoReductionBound>(p, stream);
}

Status pack_weights_last(const Problem& problem, Weights& weights, std::byte* packed) {
  const OhwiWeights usual = conv2d_weights(problem, kernels::Precision::kF32);
  std::vector<std::byte> from(usual.bytes());
  const Status packed_as_usual = usual.pack(weights, from.data());
  std::memcpy(packed, from.data() + usual.bias_offset(), bias_bytes(problem));
  std::memcpy(packed + bias_bytes(problem), from.data(), weights_bytes(problem));
  return packed_as_usual;
}

constexpr GpuRow kNoReductionBound = {
    .name = "f32_no_reduction_bound",
    .precision = kernels::Precision::kF32,
    .launch = launch_conv2d<float, launch_weights_last>,
    .packed_bytes =
        [](const Problem& problem) { return bias_bytes(problem) + weights_bytes(problem); },
    .pack = pack_weights_last};

// K of more blocks than there are stages; for bounds, maps so small that what is read beside them
// is still in the emulator's red zones.
constexpr const char* kLong = "conv2d src=24x5x5 oc=24 k=3x3 p=1,1,1,1";
constexpr const char* kSmall = "conv2d src=8x3x3 oc=8 k=3x3 p=1,1,1,1";

constexpr const char* kStem = "conv2d src=3x3x3 oc=8 k=3x3 p=1,1,1,1";

constexpr Conv2dMutation kMutations[] = {
    {row<kNoPipelineBarrier>(), kLong, Kind::kRace},
    {row<kWaitOffByOne>(), kLong, Kind::kInFlight},
    {row<kRefillBeforeBarrier>(), kLong, Kind::kRace},
    {row<kBarrierBeforeWait>(), kLong, Kind::kInFlight},
    {row<kNoEpilogueBarrier>(), kLong, Kind::kRace},
    {row<kNoRowBoundF16>(), kSmall, Kind::kOutOfBounds},
    {row<kNoBarrierAfterFill>(), kLong, Kind::kRace},
    {row<kNoBarrierBeforeFill>(), kLong, Kind::kRace},
    {row<kNoReductionBound>(), kSmall, Kind::kOutOfBounds},
    {row<kTailNotZeroed>(), kSmall, Kind::kUninitialised},
    {row<kNoRowBoundF32>(), kSmall, Kind::kOutOfBounds},
    {row<kStemNoBarrier>(), kStem, Kind::kRace},
    {row<kStemNoRowBound>(), kStem, Kind::kOutOfBounds},
};

constexpr Kernel kF16Tiles[] = {row<kTile128>(), row<kTile64>()};
constexpr Kernel kF32Tile = row<kF32>();

}  // namespace

std::span<const Conv2dMutation> conv2d_mutations() { return kMutations; }
std::span<const Kernel> conv2d_f16_tiles() { return kF16Tiles; }
const Kernel& conv2d_f32_tile() { return kF32Tile; }

}  // namespace penult::testing
