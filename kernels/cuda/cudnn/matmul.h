#pragma once

// dst (m x n) = activation(src (m x k) * weights (n x k)^T + bias [+ residual]) by cuBLASLt, all
// rows dense: linear, and conv2d with one tap and stride 1, whose pixels are the rows.

#include <memory>
#include <type_traits>

#include "kernels/cuda/cudnn/handles.h"
#include "kernels/prepared.h"

namespace penult::kernels::cudnn {

struct Matmul {
  Precision precision;
  int64_t m, n, k;
  bool residual;  // then there is no activation behind it
  bool relu;
};

// For that many images, with the channels that maps on the device have.
Matmul matmul_of(const Problem& problem, int64_t images, Precision precision);

struct DestroyCublasLt {
  const CublasLt* lt = nullptr;
  void operator()(cublasLtMatmulDesc_t desc) const { lt->destroy_matmul(desc); }
  void operator()(cublasLtMatrixLayout_t layout) const { lt->destroy_layout(layout); }
  void operator()(cublasLtMatmulPreference_t p) const { lt->destroy_preference(p); }
};
template <class Pointer>
using CublasLtOwned = std::unique_ptr<std::remove_pointer_t<Pointer>, DestroyCublasLt>;

// cuBLASLt's words for it. It knows columns only: its A is our weights, its B our src, and its D,
// n x m, is our dst.
class MatmulDescriptors {
 public:
  // `bias`: on the device. It is no argument of a call but part of what is described; any address
  // that is aligned does to ask for algorithms.
  static Result<MatmulDescriptors> make(const CublasLt& lt, const Matmul& matmul, const void* bias);

  CublasLtOwned<cublasLtMatmulDesc_t> operation;
  CublasLtOwned<cublasLtMatrixLayout_t> weights, src, dst;  // the residual lies like dst
};

// The algorithm that cuBLASLt thinks best of those that add in f32. kRefusesLayer if there is none.
Result<cublasLtMatmulHeuristicResult_t> choose_algorithm(const CublasLt& lt,
                                                         cublasLtHandle_t handle,
                                                         const MatmulDescriptors& descriptors);

Result<std::unique_ptr<PreparedKernel>> prepare_matmul(const PrepareArgs& args,
                                                       Precision precision);
Result<std::unique_ptr<PreparedKernel>> prepare_matmul(const CublasLt& lt, CublasLtHandle handle,
                                                       const PrepareArgs& args,
                                                       Precision precision);

}  // namespace penult::kernels::cudnn
