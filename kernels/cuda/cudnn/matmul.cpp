#include "kernels/cuda/cudnn/matmul.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "kernels/cuda/cudnn/convolution.h"
#include "kernels/cuda/row.h"

namespace penult::kernels::cudnn {
namespace {

constexpr uint64_t kMaxWorkspace = 32 << 20;
constexpr uint32_t kAlignment = 16;  // of all operands

cudaDataType_t data_type(Precision precision) {
  return precision == Precision::kF32 ? CUDA_R_32F : CUDA_R_16F;
}

using Layout = CublasLtOwned<cublasLtMatrixLayout_t>;

Status make_layout(const CublasLt& lt, Precision precision, int64_t rows, int64_t cols,
                   Layout* layout) {
  cublasLtMatrixLayout_t raw = nullptr;
  PENULT_RETURN_IF_ERROR(
      answer_of(lt,
                lt.create_layout(&raw, data_type(precision), static_cast<uint64_t>(rows),
                                 static_cast<uint64_t>(cols), rows),
                "describe a matrix"));
  *layout = Layout(raw, {&lt});
  return {};
}

template <class T>
Status set(const CublasLt& lt, cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t name,
           const T& value) {
  return answer_of(lt, lt.set_matmul_attribute(desc, name, &value, sizeof(value)),
                   "describe a product");
}

template <class T>
Status set(const CublasLt& lt, cublasLtMatmulPreference_t preference,
           cublasLtMatmulPreferenceAttributes_t name, const T& value) {
  return answer_of(lt, lt.set_preference_attribute(preference, name, &value, sizeof(value)),
                   "set a preference");
}

Status describe_product(const CublasLt& lt, const Matmul& matmul, const void* bias,
                        cublasLtMatmulDesc_t desc) {
  const auto epilogue = matmul.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  PENULT_RETURN_IF_ERROR(set(lt, desc, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T));
  PENULT_RETURN_IF_ERROR(set(lt, desc, CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N));
  PENULT_RETURN_IF_ERROR(set(lt, desc, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue));
  const auto bias_type = data_type(matmul.precision);
  PENULT_RETURN_IF_ERROR(set(lt, desc, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, bias_type));
  return set(lt, desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
}

// Sums split among blocks are added in f32 and in a fixed order, in the workspace.
Status describe_preference(const CublasLt& lt, cublasLtMatmulPreference_t preference) {
  PENULT_RETURN_IF_ERROR(
      set(lt, preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMaxWorkspace));
  PENULT_RETURN_IF_ERROR(set(lt, preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                             static_cast<uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE)));
  for (const auto name :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    PENULT_RETURN_IF_ERROR(set(lt, preference, name, kAlignment));
  }
  return {};
}

class PreparedMatmul : public PreparedKernel {
 public:
  PreparedMatmul(const CublasLt& lt, CublasLtHandle handle, const Problem& problem,
                 const Matmul& matmul, const cublasLtMatmulHeuristicResult_t& algorithm)
      : lt_(lt),
        handle_(std::move(handle)),
        problem_(problem),
        matmul_(matmul),
        algorithm_(algorithm),
        weights_(packed_product(problem, matmul.precision)) {}

  size_t packed_bytes() const override { return weights_.bytes(); }
  Status pack(Weights& weights, std::byte* packed) const override {
    return weights_.pack(weights, packed);
  }
  size_t scratch_bytes() const override { return algorithm_.workspaceSize; }
  Result<std::unique_ptr<BoundKernel>> bind(const BindArgs& args) const override;
  std::string implementation() const override;

  const CublasLt& lt() const { return lt_; }
  cublasLtHandle_t handle() const { return handle_.get(); }
  const cublasLtMatmulHeuristicResult_t& algorithm() const { return algorithm_; }

 private:
  const CublasLt& lt_;
  const CublasLtHandle handle_;
  const Problem problem_;
  const Matmul matmul_;
  const cublasLtMatmulHeuristicResult_t algorithm_;
  const PackedWeights weights_;
};

class BoundMatmul : public BoundKernel {
 public:
  BoundMatmul(const PreparedMatmul& prepared, const Operands& operands, const BindArgs& args,
              MatmulDescriptors descriptors)
      : prepared_(prepared),
        operands_(operands),
        packed_(args.packed),
        scratch_(args.scratch),
        stream_(static_cast<cudaStream_t>(args.stream->handle())),
        descriptors_(std::move(descriptors)) {}

  Status run(int64_t) override {
    const Operands& o = operands_;
    const MatmulDescriptors& d = descriptors_;
    const float one = 1;
    const float beta = o.residual != nullptr ? 1 : 0;
    const void* c = o.residual != nullptr ? o.residual : o.dst;
    const CublasLt& lt = prepared_.lt();
    const cublasLtMatmulHeuristicResult_t& algorithm = prepared_.algorithm();
    return status_of(
        lt,
        lt.matmul(prepared_.handle(), d.operation.get(), &one, packed_, d.weights.get(), o.src,
                  d.src.get(), &beta, c, d.dst.get(), o.dst, d.dst.get(), &algorithm.algo, scratch_,
                  algorithm.workspaceSize, stream_),
        "multiply");
  }

 private:
  const PreparedMatmul& prepared_;
  const Operands operands_;
  const std::byte* packed_;
  std::byte* scratch_;
  cudaStream_t stream_;
  const MatmulDescriptors descriptors_;
};

Result<std::unique_ptr<BoundKernel>> PreparedMatmul::bind(const BindArgs& args) const {
  const void* bias = args.packed + weights_.bias_offset();
  Result<MatmulDescriptors> descriptors = MatmulDescriptors::make(lt_, matmul_, bias);
  if (!descriptors.ok()) return as_failure(descriptors.status());
  return std::unique_ptr<BoundKernel>(std::make_unique<BoundMatmul>(
      *this, Operands::of(args, problem_), args, std::move(descriptors).value()));
}

std::string PreparedMatmul::implementation() const {
  int32_t id = -1;
  size_t written = 0;
  lt_.get_algo_attribute(&algorithm_.algo, CUBLASLT_ALGO_CONFIG_ID, &id, sizeof(id), &written);
  return concat("cublaslt:algorithm", id);
}

}  // namespace

Matmul matmul_of(const Problem& problem, int64_t images, Precision precision) {
  const Shape& dst = problem.dst.shape;
  return {.precision = precision,
          .m = images * dst.h * dst.w,
          .n = cuda::padded(dst.c),
          .k = cuda::padded(problem.src[0].shape.c),
          .residual = problem.epilogue.residual,
          .relu = problem.epilogue.activation.kind != Activation::Kind::kNone};
}

Result<MatmulDescriptors> MatmulDescriptors::make(const CublasLt& lt, const Matmul& matmul,
                                                  const void* bias) {
  MatmulDescriptors d;
  cublasLtMatmulDesc_t raw = nullptr;
  PENULT_RETURN_IF_ERROR(
      answer_of(lt, lt.create_matmul(&raw, CUBLAS_COMPUTE_32F, CUDA_R_32F), "describe a product"));
  d.operation = CublasLtOwned<cublasLtMatmulDesc_t>(raw, {&lt});
  PENULT_RETURN_IF_ERROR(describe_product(lt, matmul, bias, raw));
  PENULT_RETURN_IF_ERROR(make_layout(lt, matmul.precision, matmul.k, matmul.n, &d.weights));
  PENULT_RETURN_IF_ERROR(make_layout(lt, matmul.precision, matmul.k, matmul.m, &d.src));
  PENULT_RETURN_IF_ERROR(make_layout(lt, matmul.precision, matmul.n, matmul.m, &d.dst));
  return d;
}

Result<cublasLtMatmulHeuristicResult_t> choose_algorithm(const CublasLt& lt,
                                                         cublasLtHandle_t handle,
                                                         const MatmulDescriptors& d) {
  cublasLtMatmulPreference_t raw = nullptr;
  PENULT_RETURN_IF_ERROR(answer_of(lt, lt.create_preference(&raw), "set a preference"));
  const CublasLtOwned<cublasLtMatmulPreference_t> preference(raw, {&lt});
  PENULT_RETURN_IF_ERROR(describe_preference(lt, raw));
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  PENULT_RETURN_IF_ERROR(
      answer_of(lt,
                lt.get_heuristic(handle, d.operation.get(), d.weights.get(), d.src.get(),
                                 d.dst.get(), d.dst.get(), raw, 1, &best, &found),
                "choose an algorithm"));
  if (found == 0)
    return Status(kRefusesLayer, "backend cudnn: cuBLASLt has no algorithm for this product");
  PENULT_RETURN_IF_ERROR(answer_of(lt, best.state, "choose an algorithm"));
  return best;
}

Result<std::unique_ptr<PreparedKernel>> prepare_matmul(const CublasLt& lt, CublasLtHandle handle,
                                                       const PrepareArgs& args,
                                                       Precision precision) {
  const Matmul matmul = matmul_of(args.problem, args.max_batch, precision);
  const auto* any_bias = reinterpret_cast<const void*>(uintptr_t{kAlignment});
  PENULT_ASSIGN_OR_RETURN(const MatmulDescriptors descriptors,
                          MatmulDescriptors::make(lt, matmul, any_bias));
  PENULT_ASSIGN_OR_RETURN(const auto algorithm, choose_algorithm(lt, handle.get(), descriptors));
  return std::unique_ptr<PreparedKernel>(
      std::make_unique<PreparedMatmul>(lt, std::move(handle), args.problem, matmul, algorithm));
}

Result<std::unique_ptr<PreparedKernel>> prepare_matmul(const PrepareArgs& args,
                                                       Precision precision) {
  PENULT_ASSIGN_OR_RETURN(const CublasLt* lt, load_cublaslt());
  PENULT_ASSIGN_OR_RETURN(CublasLtHandle handle, cublaslt_handle(*lt));
  return prepare_matmul(*lt, std::move(handle), args, precision);
}

}  // namespace penult::kernels::cudnn
