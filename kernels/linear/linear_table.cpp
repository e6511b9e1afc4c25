#include <array>

#include "kernels/gemm/gemm.h"
#include "kernels/linear/linear.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// Native: the product of conv2d with images as rows and one segment of ic floats.

GemmPacking packing_of(Isa isa, const Problem& problem) {
  const int64_t ic = problem.src[0].shape.c;
  return GemmPacking::of(isa, {ic, problem.dst.shape.c}, ic, 1);
}

int64_t linear_chunk_rows(const Problem& problem) {
  return chunk_rows(problem.src[0].shape.c * static_cast<int64_t>(sizeof(float)));
}

template <Isa kIsa>
size_t packed_bytes(const Problem& problem) {
  return static_cast<size_t>(packing_of(kIsa, problem).layout.bytes);
}

template <Isa kIsa>
void pack(const Problem& problem, Weights& weights, std::byte* packed) {
  const GemmPacking packing = packing_of(kIsa, problem);
  pack_gemm(packing, {weights, problem.dst.shape.c, packing.rows, 1}, weights[1], packed);
  *reinterpret_cast<int64_t*>(packed + packing.layout.offsets_at) = 0;
}

size_t scratch_bytes(const Problem& problem) {
  return static_cast<size_t>(linear_chunk_rows(problem) * kGemmRowTableBytes);
}

template <Isa kIsa>
void run(const RunArgs& args) {
  const Problem& problem = args.problem;
  const GemmParams params{
      .oh = 1,
      .ow = 1,
      .src = args.src[0],
      .src_rows = {problem.src[0].image_stride, 0, 0},
      .dst = args.dst,
      .dst_rows = {problem.dst.image_stride, 0, 0},
      .residual = args.residual,
      .residual_rows = {problem.residual.image_stride, 0, 0},
      .segments = 1,
      .length = problem.src[0].shape.c,
      .part = part_of_packed(args.packed, args.n, args.thread, args.threads),
      .chunk_rows = linear_chunk_rows(problem),
      .row_table = args.scratch,
      .activation = problem.epilogue.activation,
  };
  run_gemm(kIsa, params);
}

template <Isa kIsa>
constexpr Kernel native(const char* name) {
  return {.name = name,
          .backend = Backend::kNative,
          .isa = kIsa,
          .overwrites_residual = true,
          .packed_bytes = packed_bytes<kIsa>,
          .pack = pack<kIsa>,
          .scratch_bytes = scratch_bytes,
          .run = run<kIsa>};
}

constexpr std::array kKernels = {
    native<Isa::kAvx512>("linear_gemm_f32_avx512"),
    native<Isa::kAvx2>("linear_gemm_f32_avx2"),
    native<Isa::kPortable16>("linear_gemm_f32_portable16"),
    native<Isa::kScalar>("linear_gemm_f32_scalar"),
    Kernel{.name = "linear_loops_f32_reference",
           .backend = Backend::kReference,
           .isa = Isa::kScalar,
           .packed_bytes = raw_weights_bytes,
           .pack = pack_raw_weights,
           .run = linear_loops_f32_reference},
};

}  // namespace

const Table kLinearTable = {"linear", kKernels};

}  // namespace penult::kernels
