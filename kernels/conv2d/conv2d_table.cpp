#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/gemm/gemm.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// Native: an implicit product. Row = dst pixel, K = its taps as segments of contiguous floats.
//
// Groups come in bundles: the fewest groups whose dst channels are a multiple of kChannelPad. A
// bundle is a dense convolution of its own channels with zeros for weights between its groups (so
// an infinity in a group makes its neighbours in the bundle NaN). Its panels then write only its
// own channels or, in the last bundle, the padding of the pixel. With 4 channels a group and 16
// lanes that costs no more than a panel for each group, which would be mostly padding.

GemmPacking packing_of(Isa isa, const Conv2dGeometry& g) {
  return GemmPacking::of(isa, {g.reduction(), g.oc}, g.reduction(), g.kh * g.kw);
}

// Bytes of src that a new row brings into the cache.
int64_t conv2d_chunk_rows(const Conv2dGeometry& g) {
  const int64_t pixels = std::min(g.sh, g.kh) * std::min(g.sw, g.kw);
  return chunk_rows(pixels * g.ic * static_cast<int64_t>(sizeof(float)));
}

int64_t groups_in_bundle(const Conv2dGeometry& g) {
  return std::min(g.groups, kChannelPad / std::gcd(g.oc / g.groups, kChannelPad));
}

int64_t bundles(const Conv2dGeometry& g) {
  return (g.groups + groups_in_bundle(g) - 1) / groups_in_bundle(g);
}

// A bundle as the dense convolution that it is, and where its channels start.
struct Bundle {
  Conv2dGeometry dense;
  int64_t groups, ic_begin, oc_begin;
};

Bundle bundle_of(const Conv2dGeometry& g, int64_t index) {
  const int64_t first = index * groups_in_bundle(g);
  const int64_t groups = std::min(groups_in_bundle(g), g.groups - first);
  Bundle bundle{g, groups, first * g.ic_per_group(), first * (g.oc / g.groups)};
  bundle.dense.ic = groups * g.ic_per_group();
  bundle.dense.oc = groups * (g.oc / g.groups);
  bundle.dense.groups = 1;
  return bundle;
}

// Weights of a bundle with the zeros between its groups.
std::vector<float> dense_weights(const Conv2dGeometry& g, const Bundle& bundle, Weights& weights) {
  const auto reduction = static_cast<size_t>(g.reduction());
  const auto channels = static_cast<size_t>(bundle.dense.oc);
  const auto from = weights.channels({bundle.oc_begin, bundle.oc_begin + bundle.dense.oc});
  const auto dense_reduction = static_cast<size_t>(bundle.dense.reduction());
  std::vector<float> dense(channels * dense_reduction, 0.0F);
  const size_t channels_in_group = channels / static_cast<size_t>(bundle.groups);
  for (size_t o = 0; !from.empty() && o < channels; ++o) {
    const auto row = from.subspan(o * reduction, reduction);
    const size_t at = o * dense_reduction + o / channels_in_group * reduction;
    std::copy(row.begin(), row.end(), dense.data() + at);
  }
  return dense;
}

// Pixels of few channels may lie side by side: then a kernel row is one stream, and the map is a
// fifth as large.
bool dense_src(const Problem& problem) {
  constexpr int64_t kFewChannels = 8;
  return conv2d_geometry(problem).ic < kFewChannels && !conv2d_has_scale(problem);
}

// Contiguous taps of a kernel row make one segment.
bool merges_row(const Conv2dGeometry& g, const TensorDesc& src) {
  return g.dw == 1 && src.pixel_stride == g.ic;
}

struct Segments {
  int64_t count, length;
};

Segments segments_of(const Conv2dGeometry& g, const TensorDesc& src) {
  if (merges_row(g, src)) return {g.kh, g.kw * g.ic};
  return {g.kh * g.kw, g.ic};
}

void fill_offsets(const Conv2dGeometry& g, const TensorDesc& src, int64_t* offsets) {
  const int64_t taps_in_row = merges_row(g, src) ? 1 : g.kw;
  for (int64_t ky = 0; ky < g.kh; ++ky) {
    for (int64_t kx = 0; kx < taps_in_row; ++kx) {
      *offsets++ = ky * g.dh * src.row_stride + kx * g.dw * src.pixel_stride;
    }
  }
}

Strides rows_of(const TensorDesc& desc, int64_t sh, int64_t sw) {
  return {desc.image_stride, desc.row_stride * sh, desc.pixel_stride * sw, desc.ring_rows};
}

// Segments are at fixed distances, and the rows of src those of dst.
bool ring_src(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  return g.kh == 1 && g.sh == 1 && g.ph == 0;
}

// Of each bundle; the last one may need less.
template <Isa kIsa>
int64_t bundle_bytes(const Conv2dGeometry& g) {
  return packing_of(kIsa, bundle_of(g, 0).dense).layout.bytes;
}

template <Isa kIsa>
size_t packed_bytes(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  return static_cast<size_t>(bundles(g) * bundle_bytes<kIsa>(g));
}

template <Isa kIsa>
void pack_dense(const Problem& problem, const Conv2dGeometry& g, Weights& weights,
                std::span<const float> bias, std::byte* packed) {
  const GemmPacking packing = packing_of(kIsa, g);
  pack_gemm(packing, {weights, g.oc, g.ic, g.kh * g.kw}, bias, packed);
  fill_offsets(g, problem.src[0], reinterpret_cast<int64_t*>(packed + packing.layout.offsets_at));
}

template <Isa kIsa>
void pack(const Problem& problem, Weights& weights, std::byte* packed) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  const std::span<const float> bias = weights[1];
  if (g.groups == 1) return pack_dense<kIsa>(problem, g, weights, bias, packed);
  for (int64_t b = 0; b < bundles(g); ++b, packed += bundle_bytes<kIsa>(g)) {
    const Bundle bundle = bundle_of(g, b);
    const std::vector<float> dense = dense_weights(g, bundle, weights);
    LoadedWeights loaded({dense}, bundle.dense.oc);
    const auto part = bias.empty() ? bias
                                   : bias.subspan(static_cast<size_t>(bundle.oc_begin),
                                                  static_cast<size_t>(bundle.dense.oc));
    pack_dense<kIsa>(problem, bundle.dense, loaded, part, packed);
  }
}

// The table of a chunk's rows, and its scaled rows, if there are any.
int64_t table_bytes(const Conv2dGeometry& dense) {
  return round_up(conv2d_chunk_rows(dense) * kGemmRowTableBytes, 64);
}

int64_t scaled_stride(const Conv2dGeometry& g) { return round_up(g.ic, kChannelPad); }

size_t scratch_bytes(const Problem& problem) {
  const Conv2dGeometry dense = bundle_of(conv2d_geometry(problem), 0).dense;
  int64_t bytes = table_bytes(dense);
  if (conv2d_has_scale(problem)) {
    bytes += conv2d_chunk_rows(dense) * scaled_stride(dense) * static_cast<int64_t>(sizeof(float));
  }
  return static_cast<size_t>(bytes);
}

// One bundle, or this thread's part of it.
template <Isa kIsa>
void run_bundle(const RunArgs& args, const Bundle& bundle, const std::byte* packed, int thread,
                int threads) {
  const Conv2dGeometry& g = bundle.dense;
  const TensorDesc& src = args.problem.src[0];
  const Segments segments = segments_of(g, src);
  const int64_t pads = g.ph * src.row_stride + g.pw * src.pixel_stride;
  GemmParams params{
      .oh = g.oh,
      .ow = g.ow,
      .src = args.src[0] + bundle.ic_begin - pads,
      .src_rows = rows_of(src, g.sh, g.sw),
      .dst = args.dst + bundle.oc_begin,
      .dst_rows = rows_of(args.problem.dst, 1, 1),
      .residual = args.residual ? args.residual + bundle.oc_begin : nullptr,
      .residual_rows = rows_of(args.problem.residual, 1, 1),
      .segments = segments.count,
      .length = segments.length,
      .part = part_of_packed(packed, args.n * g.oh * g.ow, thread, threads),
      .chunk_rows = conv2d_chunk_rows(g),
      .row_table = args.scratch,
      .activation = args.problem.epilogue.activation,
  };
  if (conv2d_has_scale(args.problem)) {
    params.src_scale = conv2d_scale(args, 0);
    params.scale_image_stride = args.problem.src[1].image_stride;
    params.scaled_stride = scaled_stride(g);
    params.scaled_rows = reinterpret_cast<float*>(args.scratch + table_bytes(g));
  }
  if (!args.rows.empty()) {
    params.part.row_begin = args.rows.begin * g.ow;
    params.part.row_end = args.rows.end * g.ow;
  }
  run_gemm(kIsa, params);
}

template <Isa kIsa>
void run(const RunArgs& args) {
  const Conv2dGeometry g = conv2d_geometry(args.problem);
  const int64_t count = bundles(g), bytes = packed_layout(args.packed).bytes;
  // Whole bundles for each thread if that is even or nearly so, else a part of each.
  constexpr int64_t kManyBundles = 8;
  const bool whole = count % args.threads == 0 || count >= kManyBundles * args.threads;
  const Range part = whole ? part_of(count, args.thread, args.threads) : Range{0, count};
  for (int64_t b = part.begin; b < part.end; ++b) {
    run_bundle<kIsa>(args, bundle_of(g, b), args.packed + b * bytes, whole ? 0 : args.thread,
                     whole ? 1 : args.threads);
  }
}

template <Isa kIsa>
constexpr Kernel native(const char* name) {
  return {.name = name,
          .backend = Backend::kNative,
          .isa = kIsa,
          .declines = conv2d_declines_halo,
          .src_halo = conv2d_halo,
          .dense_src = dense_src,
          .row_window = conv2d_row_window,
          .ring_src = ring_src,
          .overwrites_residual = true,
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
