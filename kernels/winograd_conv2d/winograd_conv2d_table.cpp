#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/gemm/gemm.h"
#include "kernels/support.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"
#include "kernels/winograd_conv2d/winograd_conv2d_params.h"
#include "kernels/winograd_conv2d/winograd_packing.h"

namespace penult::kernels {
namespace {

// Pads of every stride in scratch: without them the stores of one tile, a power of two apart, would
// all fall into one set of the first-level cache.
constexpr int64_t kStridePad = 16;

int64_t tiles_of(int64_t pixels, int64_t size) { return (pixels + size - 1) / size; }

// What follows from the problem alone. `Form` is F43 or F23.
template <class Form>
struct Blocking {
  static constexpr int64_t kProducts = int64_t{Form::kIn} * Form::kIn;
  Conv2dGeometry g;
  int64_t tiles_y, tiles_x;
  bool from_taps, panel_first;
  int64_t block_tiles;
  int64_t value_pitch, value_stride;

  static Blocking of(Isa isa, const Problem& problem);
  void choose_block(Isa isa);
};

// Bytes of a block's values: with a panel of weights and its sums they stay in the L2. 512 KB of L2
// is what AVX2 machines have, 1 to 2 MB those with AVX-512.
int64_t value_bytes_of_block(Isa isa) {
  return isa == Isa::kAvx512 || isa == Isa::kPortable16 ? 600 * 1024 : 280 * 1024;
}

// A map of 14x14 in F(2,3), or more: then weights are transformed by each run, which costs 4 % of
// such a layer's time and saves 44 % of its memory. Of a map of 7x7 it would cost 20 %.
constexpr int64_t kTilesFromTaps = 49;

// ic rows, and one of nothing: the nine taps of a channel are read together, and would all fall
// into one set of the first-level cache if they were a power of two apart.
int64_t tap_rows(const Conv2dGeometry& g) { return g.ic + 1; }

template <class Form>
Blocking<Form> Blocking<Form>::of(Isa isa, const Problem& problem) {
  Blocking b;
  b.g = conv2d_geometry(problem);
  b.tiles_y = tiles_of(b.g.oh, Form::kOut);
  b.tiles_x = tiles_of(b.g.ow, Form::kOut);
  b.value_pitch = round_up(b.g.ic, kChannelPad);
  b.from_taps = Form::kTakesTaps && b.tiles_y * b.tiles_x >= kTilesFromTaps;
  if (b.from_taps) {
    b.panel_first = true;
    b.block_tiles = std::min(kMaxBlockTiles, b.tiles_y * b.tiles_x);
  } else {
    b.choose_block(isa);
  }
  b.value_stride = b.block_tiles * b.value_pitch + kStridePad;
  return b;
}

template <class Form>
void Blocking<Form>::choose_block(Isa isa) {
  const int64_t tile_bytes = kProducts * value_pitch * static_cast<int64_t>(sizeof(float));
  const int64_t fit = value_bytes_of_block(isa) / tile_bytes;
  // With fewer tiles in a block than this the weights, which each block reads once, would be most
  // of the traffic: then more tiles, whose values come product by product from the L3.
  constexpr int64_t kFewTiles = 14;
  panel_first = fit >= kFewTiles;
  block_tiles = std::min(kMaxBlockTiles, panel_first ? fit : 3 * kFewTiles);
}

template <class Form>
GemmPacking packing_of(Isa isa, const Blocking<Form>& b) {
  const int64_t rows = b.from_taps ? kTaps * tap_rows(b.g) : b.kProducts * b.g.ic;
  return GemmPacking::of(isa, {b.g.ic, b.g.oc}, rows, b.kProducts);
}

template <Isa kIsa, class Form>
size_t packed_bytes(const Problem& problem) {
  return static_cast<size_t>(packing_of(kIsa, Blocking<Form>::of(kIsa, problem)).layout.bytes);
}

template <Isa kIsa, class Form>
void pack(const Problem& problem, Weights& weights, std::byte* packed) {
  const auto b = Blocking<Form>::of(kIsa, problem);
  const GemmPacking packing = packing_of(kIsa, b);
  const GemmWeights taps{weights, b.g.oc, b.g.ic, kTaps};
  if (b.from_taps) {
    pack_gemm(packing, taps, weights[1], packed);
  } else {
    float* const out = pack_all_but_weights(packing, b.g.oc, weights[1], packed);
    pack_products<Form>(taps, packing.panels, b.panel_first, out);
  }
  auto* const offsets = reinterpret_cast<int64_t*>(packed + packing.layout.offsets_at);
  for (int64_t i = 0; i < b.kProducts; ++i) offsets[i] = i * b.value_stride;
}

// Sums of one tile and product: of one panel, or of all of them.
template <class Form>
int64_t sum_pitch_of(const Blocking<Form>& b, std::span<const int64_t> panels) {
  if (!b.panel_first) return panels.back();
  int64_t widest = 0;
  for (size_t p = 0; p + 1 < panels.size(); ++p)
    widest = std::max(widest, panels[p + 1] - panels[p]);
  return widest;
}

template <class Form>
int64_t sum_stride_of(const Blocking<Form>& b, int64_t sum_pitch) {
  return b.block_tiles * sum_pitch + kStridePad;
}

// Floats of the three parts of scratch, and from one tile's sums to the next.
template <class Form>
struct Scratch {
  int64_t values, sums, transformed, sum_pitch;

  static Scratch of(const Blocking<Form>& b, std::span<const int64_t> panels) {
    const int64_t sum_pitch = sum_pitch_of(b, panels);
    return {b.kProducts * b.value_stride, b.kProducts * sum_stride_of(b, sum_pitch),
            b.from_taps ? kTransformedAtOnce * tap_rows(b.g) * sum_pitch : 0, sum_pitch};
  }
};

template <Isa kIsa, class Form>
size_t scratch_bytes(const Problem& problem) {
  const auto b = Blocking<Form>::of(kIsa, problem);
  const auto floats = Scratch<Form>::of(b, packing_of(kIsa, b).panels);
  return static_cast<size_t>(floats.values + floats.sums + floats.transformed) * sizeof(float);
}

template <class Form>
int64_t macs(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  return tiles_of(g.oh, Form::kOut) * tiles_of(g.ow, Form::kOut) * Blocking<Form>::kProducts *
         g.ic * g.oc;
}

// The halo that lets whole tiles be read: beyond the last dst pixel, too.
template <class Form>
Halo halo(const Problem& problem, int) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  const auto beyond = [](int64_t pixels, int64_t pad, int64_t size) {
    const int64_t last = (tiles_of(pixels, Form::kOut) - 1) * Form::kOut + Form::kIn - 1 - pad;
    return std::max<int64_t>(0, last - (size - 1));
  };
  return {.top = g.ph,
          .left = g.pw,
          .bottom = beyond(g.oh, g.ph, g.ih),
          .right = beyond(g.ow, g.pw, g.iw)};
}

template <Isa kIsa, class Form, void (*kRun)(const WinogradParams&)>
void run(const RunArgs& args) {
  const Problem& problem = args.problem;
  const auto b = Blocking<Form>::of(kIsa, problem);
  const Strides src = strides_of(problem.src[0]);
  auto* const scratch = reinterpret_cast<float*>(args.scratch);
  const GemmPart part =
      part_of_packed(args.packed, args.n * b.tiles_y * b.tiles_x, args.thread, args.threads);
  const int64_t panels = packed_layout(args.packed).panels;
  const auto floats = Scratch<Form>::of(b, std::span(part.panels, static_cast<size_t>(panels + 1)));
  kRun({
      .oh = b.g.oh,
      .ow = b.g.ow,
      .tiles_y = b.tiles_y,
      .tiles_x = b.tiles_x,
      .ic = b.g.ic,
      .src = args.src[0] - b.g.ph * src.row - b.g.pw * src.pixel,
      .src_strides = src,
      .dst = args.dst,
      .dst_strides = strides_of(problem.dst),
      .residual = args.residual,
      .residual_strides = strides_of(problem.residual),
      .part = part,
      .all_panels = panels,
      .block_tiles = b.block_tiles,
      .panel_first = b.panel_first,
      .from_taps = b.from_taps,
      .tap_rows = tap_rows(b.g),
      .values = scratch,
      .sums = scratch + floats.values,
      .transformed = scratch + floats.values + floats.sums,
      .value_pitch = b.value_pitch,
      .value_stride = b.value_stride,
      .sum_pitch = floats.sum_pitch,
      .sum_stride = sum_stride_of(b, floats.sum_pitch),
      .activation = problem.epilogue.activation,
  });
}

template <Isa kIsa, class Form, void (*kRun)(const WinogradParams&)>
constexpr Kernel native(const char* name, NumericClass numeric_class) {
  return {.name = name,
          .backend = Backend::kNative,
          .isa = kIsa,
          .numeric_class = numeric_class,
          .declines = winograd_declines,
          .src_halo = halo<Form>,
          .overwrites_residual = true,
          .packed_bytes = packed_bytes<kIsa, Form>,
          .pack = pack<kIsa, Form>,
          .scratch_bytes = scratch_bytes<kIsa, Form>,
          .macs = macs<Form>,
          .run = run<kIsa, Form, kRun>};
}

template <Isa kIsa, void (*kRun)(const WinogradParams&)>
constexpr Kernel f43(const char* name) {
  return native<kIsa, F43, kRun>(name, NumericClass::kWinograd43);
}

template <Isa kIsa, void (*kRun)(const WinogradParams&)>
constexpr Kernel f23(const char* name) {
  return native<kIsa, F23, kRun>(name, NumericClass::kWinograd23);
}

constexpr std::array kKernels = {
    f43<Isa::kAvx512, winograd_f43_f32_avx512>("conv2d_winograd_f43_f32_avx512"),
    f23<Isa::kAvx512, winograd_f23_f32_avx512>("conv2d_winograd_f23_f32_avx512"),
    f43<Isa::kAvx2, winograd_f43_f32_avx2>("conv2d_winograd_f43_f32_avx2"),
    f23<Isa::kAvx2, winograd_f23_f32_avx2>("conv2d_winograd_f23_f32_avx2"),
    f43<Isa::kPortable16, winograd_f43_f32_portable16>("conv2d_winograd_f43_f32_portable16"),
    f23<Isa::kPortable16, winograd_f23_f32_portable16>("conv2d_winograd_f23_f32_portable16"),
    f43<Isa::kScalar, winograd_f43_f32_scalar>("conv2d_winograd_f43_f32_scalar"),
    f23<Isa::kScalar, winograd_f23_f32_scalar>("conv2d_winograd_f23_f32_scalar"),
};

}  // namespace

std::string winograd_declines(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  if (g.kh != 3 || g.kw != 3) return concat("kernel must be 3x3, got ", g.kh, "x", g.kw);
  if (g.sh != 1 || g.sw != 1) return concat("stride must be 1, got ", g.sh, "x", g.sw);
  if (g.dh != 1 || g.dw != 1) return concat("dilation must be 1, got ", g.dh, "x", g.dw);
  if (g.groups != 1) return concat("groups must be 1, got ", g.groups);
  if (conv2d_has_scale(problem)) return "src has factors for its channels";
  return conv2d_declines_halo(problem);
}

const Table kWinogradConv2dTable = {"conv2d", kKernels};

}  // namespace penult::kernels
