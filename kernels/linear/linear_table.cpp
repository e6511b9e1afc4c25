#include <array>
#include <numeric>

#include "kernels/gemm/gemm.h"
#include "kernels/linear/linear.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// Native: the product of conv2d with images as rows and one segment of ic floats.

GemmPacking packing_of(Isa isa, const Problem& problem) {
  const int64_t ic = problem.src[0].shape.c;
  return GemmPacking::of(isa, {1, ic, problem.dst.shape.c}, 1);
}

int64_t linear_chunk_rows(const Problem& problem) {
  return chunk_rows(problem.src[0].shape.c * static_cast<int64_t>(sizeof(float)));
}

template <Isa kIsa>
size_t packed_bytes(const Problem& problem) {
  return packing_of(kIsa, problem).bytes();
}

template <Isa kIsa>
void pack(const Problem& problem, Weights weights, std::byte* packed) {
  const GemmPacking packing = packing_of(kIsa, problem);
  std::vector<int64_t> source_index(static_cast<size_t>(packing.reduction));
  std::iota(source_index.begin(), source_index.end(), 0);
  const auto bias = weights.size() > 1 ? weights[1] : std::span<const float>();
  pack_gemm(packing, problem.dst.shape.c, weights[0], source_index, bias, packed);
  *reinterpret_cast<int64_t*>(packed + packing.offsets_at()) = 0;
}

size_t scratch_bytes(const Problem& problem) {
  return static_cast<size_t>(linear_chunk_rows(problem) * kGemmRowTableBytes);
}

template <Isa kIsa>
void run(const RunArgs& args) {
  const Problem& problem = args.problem;
  const GemmPacking packing = packing_of(kIsa, problem);
  GemmParams params{
      .oh = 1,
      .ow = 1,
      .src = args.src[0],
      .src_rows = {problem.src[0].image_stride, 0, 0},
      .dst = args.dst,
      .dst_rows = {problem.dst.image_stride, 0, 0},
      .residual = args.residual,
      .residual_rows = {problem.residual.image_stride, 0, 0},
      .segments = 1,
      .length = packing.reduction,
      .chunk_rows = linear_chunk_rows(problem),
      .row_table = args.scratch,
      .activation = to_params(problem.epilogue.activation),
  };
  use_packed(params, packing, args.packed);
  split_gemm(params, args.n, packing.panels, args.thread, args.threads);
  run_gemm(kIsa, params);
}

constexpr std::array kKernels = {
    Kernel{"linear_gemm_f32_avx2", Backend::kNative, Isa::kAvx2, accepts_all, no_halo,
           packed_bytes<Isa::kAvx2>, pack<Isa::kAvx2>, scratch_bytes, run<Isa::kAvx2>},
    Kernel{"linear_gemm_f32_scalar", Backend::kNative, Isa::kScalar, accepts_all, no_halo,
           packed_bytes<Isa::kScalar>, pack<Isa::kScalar>, scratch_bytes, run<Isa::kScalar>},
    Kernel{"linear_loops_f32_reference", Backend::kReference, Isa::kScalar, accepts_all, no_halo,
           raw_weights_bytes, pack_raw_weights, no_bytes, linear_loops_f32_reference},
};

}  // namespace

const Table kLinearTable = {"linear", kKernels};

}  // namespace penult::kernels
