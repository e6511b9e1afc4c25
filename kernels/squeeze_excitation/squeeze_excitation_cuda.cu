#include "kernels/cuda/flat.cuh"
#include "kernels/squeeze_excitation/squeeze_excitation_cuda.h"

namespace penult::kernels::cuda {
namespace {

// A block has one image: blocks cannot wait for each other, and the first layer wants all means.
// Hence many threads.
constexpr int kWarp = 32;
constexpr int kWarps = 16;
constexpr int kThreads = kWarp * kWarps;
// Results that a warp has under way at a time: each ends in five shuffles, one after the other.
constexpr int kAtOnce = 4;
static_assert(kGpuPad % kAtOnce == 0);

template <class T>
struct Layer {
  const T* weights;  // (oc, ic), both padded
  const float* bias;
  int ic, oc, used_oc;
  Activation activation;
};

struct SharedFloats {
  int partial, means, squeezed;  // how many

  static SharedFloats of(int64_t c, int64_t sc) {
    const int64_t groups = padded(c) / kGroup;
    const int64_t rows = groups < kThreads ? kThreads / groups : 1;
    return {static_cast<int>(rows * groups * kGroup), static_cast<int>(padded(c)),
            static_cast<int>(padded(sc))};
  }
};

// The sums of each 8 channels, of every rows-th pixel, into `partial` (rows, c).
template <class T>
GPU_FN void add_pixels(const T* __restrict__ src, int pixels, int c, int rows, float* partial) {
  const int groups = c / kGroup;
  for (int slot = static_cast<int>(threadIdx.x); slot < rows * groups; slot += kThreads) {
    const int first = slot / groups, group = slot - first * groups;
    float sum[kGroup] = {}, x[kGroup];
    for (int pixel = first; pixel < pixels; pixel += rows) {
      load8(src + static_cast<size_t>(pixel) * c + group * kGroup, x);
      GPU_UNROLL for (int i = 0; i < kGroup; ++i) sum[i] += x[i];
    }
    store8(partial + first * c + group * kGroup, sum);
  }
}

// A warp computes kAtOnce results at a time; lane k gives the k-th to store(o, y).
template <class T, class Store>
GPU_FN void run_layer(const Layer<T>& layer, const float* src, const Store& store) {
  constexpr int kLane = 4;  // channels of a lane: the widest load of shared memory
  const int lane = static_cast<int>(threadIdx.x % kWarp);
  for (int o = static_cast<int>(threadIdx.x / kWarp) * kAtOnce; o < layer.oc;
       o += kWarps * kAtOnce) {
    float sums[kAtOnce] = {}, x[kLane], w[kLane];
    for (int c = lane * kLane; c < layer.ic; c += kWarp * kLane) {
      load4(src + c, x);
      GPU_UNROLL for (int k = 0; k < kAtOnce; ++k) {
        load4(layer.weights + static_cast<size_t>(o + k) * layer.ic + c, w);
        GPU_UNROLL for (int i = 0; i < kLane; ++i) sums[k] = gpu::fma(x[i], w[i], sums[k]);
      }
    }
    GPU_UNROLL for (int mask = kWarp / 2; mask > 0; mask /= 2) {
      GPU_UNROLL for (int k = 0; k < kAtOnce; ++k) sums[k] += gpu::shuffle_xor(sums[k], mask);
    }
    if (lane >= kAtOnce) continue;
    float y = 0;
    GPU_UNROLL for (int k = 0; k < kAtOnce; ++k) y = lane == k ? sums[k] : y;
    const int mine = o + lane;
    y = activate(layer.activation, y + layer.bias[mine]);
    store(mine, mine < layer.used_oc ? y : 0.0F);
  }
}

template <class T>
GPU_KERNEL GPU_BOUNDS(kThreads, 2)
    squeeze_excitation_kernel(const T* __restrict__ src, int pixels, int used_c, SharedFloats sizes,
                              Layer<T> squeeze, Layer<T> excite, T* __restrict__ dst) {
  GPU_DYN_SHARED(memory);
  auto* const partial = static_cast<float*>(static_cast<void*>(memory));
  float* const means = partial + sizes.partial;
  float* const squeezed = means + sizes.means;
  const int c = sizes.means, rows = sizes.partial / c;
  const size_t image = blockIdx.x;
  add_pixels(src + image * static_cast<size_t>(pixels) * c, pixels, c, rows, partial);
  gpu::sync_block();
  for (int i = static_cast<int>(threadIdx.x); i < c; i += kThreads) {
    float sum = 0;
    for (int row = 0; row < rows; ++row) sum += partial[row * c + i];
    // Padding is any number, and its sum may be infinite.
    means[i] = i < used_c ? sum / static_cast<float>(pixels) : 0.0F;
  }
  gpu::sync_block();
  run_layer(squeeze, means, [&](int o, float y) { squeezed[o] = y; });
  gpu::sync_block();
  run_layer(excite, squeezed, [&](int o, float y) { store1(dst + image * excite.oc + o, y); });
}

template <class T>
Layer<T> layer_of(const OhwiWeights& weights, const std::byte* packed,
                  const Activation& activation) {
  return {reinterpret_cast<const T*>(packed),
          reinterpret_cast<const float*>(packed + weights.bias_offset()),
          static_cast<int>(padded(weights.ic)),
          static_cast<int>(padded(weights.oc)),
          static_cast<int>(weights.oc),
          activation};
}

SharedFloats shared_of(const Problem& problem) {
  return SharedFloats::of(problem.src[0].shape.c, problem.weight_dims[0][0]);
}

}  // namespace

size_t squeeze_excitation_shared_bytes(const Problem& problem) {
  const SharedFloats floats = shared_of(problem);
  return static_cast<size_t>(floats.partial + floats.means + floats.squeezed) * sizeof(float);
}

template <class T>
gpu::Error launch_squeeze_excitation(const GpuArgs& args) {
  const Problem& problem = args.problem;
  const auto weights = SqueezeExcitationWeights::of(problem, kPrecisionOf<T>);
  const std::byte* const second = args.packed + weights.second_layer_offset();
  return gpu::launch(
      squeeze_excitation_kernel<T>, gpu::Dim3(static_cast<unsigned>(args.n)), gpu::Dim3(kThreads),
      squeeze_excitation_shared_bytes(problem), args.stream, source<T>(args, 0),
      static_cast<int>(pixels_of(problem.src[0])), static_cast<int>(problem.src[0].shape.c),
      shared_of(problem), layer_of<T>(weights.squeeze, args.packed, problem.function),
      layer_of<T>(weights.excite, second, problem.epilogue.activation), static_cast<T*>(args.dst));
}

template gpu::Error launch_squeeze_excitation<float>(const GpuArgs&);
template gpu::Error launch_squeeze_excitation<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
