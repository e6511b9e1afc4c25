#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d_params.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

std::string declines_any(const Problem& problem) {
  std::string reason = depthwise_declines_any(problem);
  return reason.empty() ? conv2d_declines_halo(problem) : reason;
}

std::string declines(const Problem& problem) {
  std::string reason = depthwise_declines(problem);
  return reason.empty() ? conv2d_declines_halo(problem) : reason;
}

// As DepthwiseParams has them.
size_t packed_bytes(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  return static_cast<size_t>((1 + g.kh * g.kw) * round_up(g.ic, kChannelPad)) * sizeof(float);
}

void pack(const Problem& problem, Weights& weights, std::byte* packed) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  const int64_t taps = g.kh * g.kw;
  const std::span<const float> from = weights[0], bias = weights[1];
  if (from.empty()) return;
  auto* out = reinterpret_cast<float*>(packed);
  std::memset(packed, 0, packed_bytes(problem));
  for (int64_t c = 0; c < g.ic; ++c) {
    float* to = out + c / kDepthwiseLine * kDepthwiseLine * (1 + taps) + c % kDepthwiseLine;
    if (!bias.empty()) *to = bias[c];
    for (int64_t tap = 0; tap < taps; ++tap) to[(1 + tap) * kDepthwiseLine] = from[c * taps + tap];
  }
}

// What a block of 7 columns reads and what the weights take should stay in half of a 32 KB L1 cache
// while the row's columns pass: columns share pixels, and all columns the weights. With 5x5 kernels
// that takes 10 to 25 % off; with 3x3 it is even to 5 %.
int64_t channel_block(const Conv2dGeometry& g) {
  constexpr int64_t kBytes = 16 * 1024, kColumns = 7;
  const int64_t floats = (g.kh + g.sh) * ((kColumns - 1) * g.sw + g.kw);
  const int64_t bytes = floats * static_cast<int64_t>(sizeof(float));
  const int64_t most = std::max(kBytes / bytes, kChannelPad);
  const int64_t channels = round_up(g.ic, kChannelPad), blocks = (channels + most - 1) / most;
  return round_up((channels + blocks - 1) / blocks, kChannelPad);
}

// The rows asked for (by one thread), or a part of all: by rows when each thread gets many, else (7
// rows for 2 threads) by blocks of channels.
void split(DepthwiseParams& params, int64_t rows, int64_t channels, const RunArgs& args) {
  constexpr int64_t kManyRows = 8;
  const int64_t blocks = channels / kChannelPad;
  const bool by_rows =
      rows % args.threads == 0 || rows >= kManyRows * args.threads || blocks < args.threads;
  const Range row_part = by_rows ? rows_to_compute(args) : Range{0, rows};
  const Range channel_part =
      by_rows ? Range{0, channels} : part_of(channels, args.thread, args.threads, kChannelPad);
  params.row_begin = row_part.begin;
  params.row_end = row_part.end;
  params.c_begin = channel_part.begin;
  params.c_end = channel_part.end;
}

template <void (*kRun)(const DepthwiseParams&)>
void run(const RunArgs& args) {
  const Problem& problem = args.problem;
  const Conv2dGeometry g = conv2d_geometry(problem);
  const Strides src = strides_of(problem.src[0]);
  DepthwiseParams params{
      .kh = g.kh,
      .kw = g.kw,
      .sh = g.sh,
      .sw = g.sw,
      .dh = g.dh,
      .dw = g.dw,
      .ph = g.ph,
      .oh = g.oh,
      .ow = g.ow,
      .src = args.src[0] - g.pw * src.pixel,
      .src_strides = src,
      .residual = args.residual,
      .residual_strides = strides_of(problem.residual),
      .dst = args.dst,
      .dst_strides = strides_of(problem.dst),
      .weights = reinterpret_cast<const float*>(args.packed),
      .c_block = channel_block(g),
      .activation = problem.epilogue.activation,
  };
  split(params, args.n * g.oh, round_up(g.ic, kChannelPad), args);
  kRun(params);
}

constexpr Kernel any_native(const char* name, Isa isa, void (*run)(const RunArgs&)) {
  return {.name = name,
          .backend = Backend::kNative,
          .isa = isa,
          .declines = declines_any,
          .src_halo = conv2d_halo,
          .spread_src = always,
          .packed_bytes = packed_bytes,
          .pack = pack,
          .run = run};
}

constexpr Kernel native(const char* name, Isa isa, void (*run)(const RunArgs&)) {
  Kernel kernel = any_native(name, isa, run);
  kernel.declines = declines;
  kernel.row_window = conv2d_row_window;
  kernel.ring_src = always;
  return kernel;
}

constexpr std::array kKernels = {
    native("conv2d_depthwise_f32_avx512", Isa::kAvx512, run<depthwise_conv2d_f32_avx512>),
    any_native("conv2d_depthwise_any_f32_avx512", Isa::kAvx512, run<depthwise_any_f32_avx512>),
    native("conv2d_depthwise_f32_avx2", Isa::kAvx2, run<depthwise_conv2d_f32_avx2>),
    any_native("conv2d_depthwise_any_f32_avx2", Isa::kAvx2, run<depthwise_any_f32_avx2>),
    native("conv2d_depthwise_f32_portable16", Isa::kPortable16,
           run<depthwise_conv2d_f32_portable16>),
    any_native("conv2d_depthwise_any_f32_portable16", Isa::kPortable16,
               run<depthwise_any_f32_portable16>),
    native("conv2d_depthwise_f32_scalar", Isa::kScalar, run<depthwise_conv2d_f32_scalar>),
    any_native("conv2d_depthwise_any_f32_scalar", Isa::kScalar, run<depthwise_any_f32_scalar>),
};

}  // namespace

std::string depthwise_declines_any(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  if (g.groups != g.ic || g.groups != g.oc)
    return concat("groups must equal ic and oc, got groups ", g.groups, ", ic ", g.ic, ", oc ",
                  g.oc);
  if (conv2d_has_scale(problem)) return "src has factors for its channels";
  return {};
}

std::string depthwise_declines(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  if (g.kh != g.kw || (g.kh != 3 && g.kh != 5))
    return concat("kernel must be 3x3 or 5x5, got ", g.kh, "x", g.kw);
  if (g.sh != g.sw || (g.sh != 1 && g.sh != 2))
    return concat("stride must be 1 or 2, got ", g.sh, "x", g.sw);
  if (g.dh != 1 || g.dw != 1) return concat("dilation must be 1, got ", g.dh, "x", g.dw);
  return depthwise_declines_any(problem);
}

const Table kDepthwiseConv2dTable = {"conv2d", kKernels};

}  // namespace penult::kernels
