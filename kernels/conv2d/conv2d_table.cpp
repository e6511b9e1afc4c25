#include <array>

#include "engine/base/text.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/gemm/gemm.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// Native: an implicit product. Row = dst pixel, K = its taps as segments of contiguous floats.

// With fewer channels than this a loop per tap costs more than an offset per float.
constexpr int64_t kGatherBelow = 8;

bool gathers(const Conv2dGeometry& g) { return g.ic < kGatherBelow; }

GemmShape gemm_shape(const Conv2dGeometry& g) { return {g.oh * g.ow, g.reduction(), g.oc}; }

GemmPacking packing_of(Isa isa, const Conv2dGeometry& g) {
  return GemmPacking::of(isa, gemm_shape(g), gathers(g) ? g.reduction() : g.kh * g.kw);
}

// Bytes of src that a new row brings into the cache.
int64_t conv2d_chunk_rows(const Conv2dGeometry& g) {
  const int64_t pixels = std::min(g.sh, g.kh) * std::min(g.sw, g.kw);
  return chunk_rows(pixels * g.ic * static_cast<int64_t>(sizeof(float)));
}

std::string declines(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  if (g.groups != 1) return concat("groups must be 1, got ", g.groups);
  return conv2d_declines_halo(problem);
}

// K in (kh, kw, ic) order, as the segments walk it.
std::vector<int64_t> source_index(const Conv2dGeometry& g) {
  std::vector<int64_t> index;
  index.reserve(static_cast<size_t>(g.reduction()));
  for (int64_t tap = 0; tap < g.kh * g.kw; ++tap)
    for (int64_t c = 0; c < g.ic; ++c) index.push_back(c * g.kh * g.kw + tap);
  return index;
}

// Contiguous taps of a kernel row make one segment.
bool merges_row(const Conv2dGeometry& g, const TensorDesc& src) {
  return !gathers(g) && g.dw == 1 && src.pixel_stride == g.ic;
}

void fill_offsets(const Conv2dGeometry& g, const TensorDesc& src, int64_t* offsets) {
  const int64_t taps_in_row = merges_row(g, src) ? 1 : g.kw;
  for (int64_t ky = 0; ky < g.kh; ++ky) {
    for (int64_t kx = 0; kx < taps_in_row; ++kx) {
      const int64_t tap = ky * g.dh * src.row_stride + kx * g.dw * src.pixel_stride;
      const int64_t steps = gathers(g) ? g.ic : 1;
      for (int64_t c = 0; c < steps; ++c) *offsets++ = tap + c;
    }
  }
}

GemmRows rows_of(const TensorDesc& desc, int64_t sh, int64_t sw) {
  return {desc.image_stride, desc.row_stride * sh, desc.pixel_stride * sw};
}

template <Isa kIsa>
size_t packed_bytes(const Problem& problem) {
  return static_cast<size_t>(packing_of(kIsa, conv2d_geometry(problem)).layout.bytes);
}

template <Isa kIsa>
void pack(const Problem& problem, Weights weights, std::byte* packed) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  const GemmPacking packing = packing_of(kIsa, g);
  const auto bias = weights.size() > 1 ? weights[1] : std::span<const float>();
  pack_gemm(packing, g.oc, weights[0], source_index(g), bias, packed);
  fill_offsets(g, problem.src[0], reinterpret_cast<int64_t*>(packed + packing.layout.offsets_at));
}

size_t scratch_bytes(const Problem& problem) {
  return static_cast<size_t>(conv2d_chunk_rows(conv2d_geometry(problem)) * kGemmRowTableBytes);
}

template <Isa kIsa>
void run(const RunArgs& args) {
  const Conv2dGeometry g = conv2d_geometry(args.problem);
  const TensorDesc& src = args.problem.src[0];
  const int64_t segments = gathers(g) ? g.reduction() : g.kh * (merges_row(g, src) ? 1 : g.kw);
  GemmParams params{
      .oh = g.oh,
      .ow = g.ow,
      .src = args.src[0] - g.ph * src.row_stride - g.pw * src.pixel_stride,
      .src_rows = rows_of(src, g.sh, g.sw),
      .dst = args.dst,
      .dst_rows = rows_of(args.problem.dst, 1, 1),
      .residual = args.residual,
      .residual_rows = rows_of(args.problem.residual, 1, 1),
      .segments = segments,
      .length = g.reduction() / segments,
      .chunk_rows = conv2d_chunk_rows(g),
      .row_table = args.scratch,
      .activation = args.problem.epilogue.activation,
  };
  use_packed(params, args.packed, args.n * g.oh * g.ow, args.thread, args.threads);
  run_gemm(kIsa, params);
}

template <Isa kIsa>
constexpr Kernel native(const char* name) {
  return {.name = name,
          .backend = Backend::kNative,
          .isa = kIsa,
          .declines = declines,
          .src_halo = conv2d_halo,
          .packed_bytes = packed_bytes<kIsa>,
          .pack = pack<kIsa>,
          .scratch_bytes = scratch_bytes,
          .run = run<kIsa>};
}

constexpr std::array kKernels = {
    native<Isa::kAvx512>("conv2d_igemm_f32_avx512"),
    native<Isa::kAvx2>("conv2d_igemm_f32_avx2"),
    native<Isa::kPortable16>("conv2d_igemm_f32_portable16"),
    native<Isa::kScalar>("conv2d_igemm_f32_scalar"),
    Kernel{.name = "conv2d_loops_f32_reference",
           .backend = Backend::kReference,
           .isa = Isa::kScalar,
           .packed_bytes = raw_weights_bytes,
           .pack = pack_raw_weights,
           .run = conv2d_loops_f32_reference},
};

}  // namespace

const Table kConv2dTable = {"conv2d", kKernels};

}  // namespace penult::kernels
