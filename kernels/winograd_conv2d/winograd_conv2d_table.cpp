#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/text.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/gemm/gemm.h"
#include "kernels/support.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"
#include "kernels/winograd_conv2d/winograd_conv2d_params.h"
#include "kernels/winograd_conv2d/winograd_transform.inl.h"

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
  bool panel_first;
  int64_t block_tiles;
  int64_t value_pitch, value_stride;

  static Blocking of(Isa isa, const Problem& problem);
};

// Bytes of a block's values: with a panel of weights and its sums they stay in the L2. 512 KB of L2
// is what AVX2 machines have, 1 to 2 MB those with AVX-512.
int64_t value_bytes_of_block(Isa isa) {
  return isa == Isa::kAvx512 || isa == Isa::kPortable16 ? 600 * 1024 : 280 * 1024;
}

template <class Form>
Blocking<Form> Blocking<Form>::of(Isa isa, const Problem& problem) {
  Blocking b;
  b.g = conv2d_geometry(problem);
  b.tiles_y = tiles_of(b.g.oh, Form::kOut);
  b.tiles_x = tiles_of(b.g.ow, Form::kOut);
  b.value_pitch = round_up(b.g.ic, kChannelPad);
  const int64_t tile_bytes = kProducts * b.value_pitch * static_cast<int64_t>(sizeof(float));
  const int64_t fit = value_bytes_of_block(isa) / tile_bytes;
  // With fewer tiles in a block than this the weights, which each block reads once, would be most
  // of the traffic: then more tiles, whose values come product by product from the L3.
  constexpr int64_t kFewTiles = 14;
  b.panel_first = fit >= kFewTiles;
  b.block_tiles = std::min(kMaxBlockTiles, b.panel_first ? fit : 3 * kFewTiles);
  b.value_stride = b.block_tiles * b.value_pitch + kStridePad;
  return b;
}

template <class Form>
GemmPacking packing_of(Isa isa, const Blocking<Form>& b) {
  return GemmPacking::of(isa, {b.g.ic, b.g.oc}, b.kProducts, b.kProducts);
}

template <Isa kIsa, class Form>
size_t packed_bytes(const Problem& problem) {
  return static_cast<size_t>(packing_of(kIsa, Blocking<Form>::of(kIsa, problem)).layout.bytes);
}

// One weight each of four output channels; the compiler makes pairs of it without AVX.
constexpr int64_t kLanes = 4;
using Doubles = double __attribute__((vector_size(kLanes * sizeof(double))));
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));

// G w G' of `channels` output channels, at most four, whose weights are `step` apart; the rest are
// 0.
template <class Form>
void transform_weights(const float* weights, int64_t step, int64_t channels,
                       Doubles (&out)[Form::kIn][Form::kIn]) {
  Doubles w[9] = {};
  for (int64_t lane = 0; lane < channels; ++lane)
    for (int i = 0; i < 9; ++i) w[i][lane] = static_cast<double>(weights[lane * step + i]);
  Doubles columns[Form::kIn][3];
  for (int x = 0; x < 3; ++x) {
    Doubles t[Form::kIn];
    Form::template weights<Doubles>({w[x], w[3 + x], w[6 + x]}, t);
    for (int y = 0; y < Form::kIn; ++y) columns[y][x] = t[y];
  }
  for (int y = 0; y < Form::kIn; ++y) Form::weights(columns[y], out[y]);
}

// Products of `channels` output channels and one input channel, `product_step` apart.
template <class Form>
void pack_lanes(const float* weights, int64_t step, int64_t channels, float* to,
                int64_t product_step) {
  Doubles products[Form::kIn][Form::kIn];
  transform_weights<Form>(weights, step, channels, products);
  for (const auto& row : products) {
    for (const Doubles& values : row) {
      const Floats rounded = __builtin_convertvector(values, Floats);
      std::memcpy(to, &rounded, static_cast<size_t>(channels) * sizeof(float));
      to += product_step;
    }
  }
}

// [panel][product] or [product][panel], then [ic][channels of the panel]; zeros beyond oc.
template <class Form>
void pack_products(const Blocking<Form>& b, const std::vector<int64_t>& panels,
                   const float* weights, float* out) {
  if (panels.back() > b.g.oc) std::fill_n(out, b.kProducts * b.g.ic * panels.back(), 0.0F);
  // So many input channels at a time that their weights are lines and their products stay in the
  // L1.
  constexpr int64_t kBlock = 4;
  for (size_t p = 0; p + 1 < panels.size(); ++p) {
    const int64_t width = panels[p + 1] - panels[p], end = std::min(panels[p + 1], b.g.oc);
    float* const panel = out + panels[p] * b.g.ic * (b.panel_first ? b.kProducts : 1);
    const int64_t product_step = b.g.ic * (b.panel_first ? width : panels.back());
    for (int64_t begin = 0; begin < b.g.ic; begin += kBlock) {
      for (int64_t o = panels[p]; o < end; o += kLanes) {
        const int64_t channels = std::min(kLanes, end - o);
        for (int64_t c = begin; c < std::min(begin + kBlock, b.g.ic); ++c) {
          pack_lanes<Form>(weights + (o * b.g.ic + c) * 9, b.g.ic * 9, channels,
                           panel + c * width + (o - panels[p]), product_step);
        }
      }
    }
  }
}

template <Isa kIsa, class Form>
void pack(const Problem& problem, Weights weights, std::byte* packed) {
  const auto b = Blocking<Form>::of(kIsa, problem);
  const GemmPacking packing = packing_of(kIsa, b);
  float* const out = pack_all_but_weights(
      packing, b.g.oc, weights.size() > 1 ? weights[1] : std::span<const float>(), packed);
  pack_products(b, packing.panels, weights[0].data(), out);
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

// Values, then sums.
template <Isa kIsa, class Form>
size_t scratch_bytes(const Problem& problem) {
  const auto b = Blocking<Form>::of(kIsa, problem);
  const int64_t sum_pitch = sum_pitch_of(b, std::span<const int64_t>(packing_of(kIsa, b).panels));
  return static_cast<size_t>(b.kProducts * (b.value_stride + sum_stride_of(b, sum_pitch))) *
         sizeof(float);
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
  const int64_t sum_pitch =
      sum_pitch_of(b, std::span(part.panels, static_cast<size_t>(panels + 1)));
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
      .values = scratch,
      .sums = scratch + b.kProducts * b.value_stride,
      .value_pitch = b.value_pitch,
      .value_stride = b.value_stride,
      .sum_pitch = sum_pitch,
      .sum_stride = sum_stride_of(b, sum_pitch),
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
