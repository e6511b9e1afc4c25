#include "kernels/cuda/cudnn/convolution.h"

#include <mutex>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "kernels/cuda/row.h"

namespace penult::kernels::cudnn {
namespace {

// As the libraries are told that maps lie.
[[maybe_unused]] bool is_dense(const TensorDesc& desc) {
  return desc.pixel_stride == cuda::padded(desc.shape.c) &&
         desc.image_stride == desc.shape.h * desc.shape.w * desc.pixel_stride;
}

// A plan is of one number of images: see PreparedKernel about runs of fewer.
class PreparedConvolution : public PreparedKernel {
 public:
  PreparedConvolution(const Cudnn& cudnn, const Problem& problem, Precision precision,
                      Target target, ConvolutionGraph graph, Plan plan)
      : cudnn_(cudnn),
        problem_(problem),
        target_(std::move(target)),
        weights_(packed_convolution(problem, precision)),
        graph_(std::move(graph)),
        plan_(std::move(plan)) {}

  size_t packed_bytes() const override { return weights_.bytes(); }
  Status pack(Weights& weights, std::byte* packed) const override {
    return weights_.pack(weights, packed);
  }
  size_t scratch_bytes() const override { return plan_.workspace_bytes; }
  Result<std::unique_ptr<BoundKernel>> bind(const BindArgs& args) const override;
  std::string implementation() const override { return concat("cudnn:engine", plan_.engine); }

  Status execute(cudnnHandle_t handle, const Descriptor& pointers) const {
    // One plan may not be executed by two threads at once; this only queues work.
    const std::lock_guard lock(mutex_);
    return status_of(cudnn_, cudnn_.execute(handle, plan_.plan.get(), pointers.get()), "execute");
  }

 private:
  Result<Descriptor> bind_pointers(const BindArgs& args) const;

  const Cudnn& cudnn_;
  const Problem problem_;
  const Target target_;
  const PackedWeights weights_;
  const ConvolutionGraph graph_;  // which the plan is of
  const Plan plan_;
  mutable std::mutex mutex_;
};

class BoundConvolution : public BoundKernel {
 public:
  BoundConvolution(const PreparedConvolution& prepared, CudnnHandle handle, Descriptor pointers)
      : prepared_(prepared), handle_(std::move(handle)), pointers_(std::move(pointers)) {}

  Status run(int64_t) override { return prepared_.execute(handle_.get(), pointers_); }

 private:
  const PreparedConvolution& prepared_;
  const CudnnHandle handle_;
  const Descriptor pointers_;
};

Result<Descriptor> PreparedConvolution::bind_pointers(const BindArgs& args) const {
  const Operands operands = Operands::of(args, problem_);
  const auto plain = [](const std::byte* p) {
    return static_cast<void*>(const_cast<std::byte*>(p));
  };
  std::vector<int64_t> uids = {ConvolutionGraph::kSrc, ConvolutionGraph::kWeights,
                               ConvolutionGraph::kBias, ConvolutionGraph::kDst};
  std::vector<void*> pointers = {plain(operands.src), plain(args.packed),
                                 plain(args.packed + weights_.bias_offset()), operands.dst};
  if (operands.residual != nullptr) {
    uids.push_back(ConvolutionGraph::kResidual);
    pointers.push_back(plain(operands.residual));
  }
  return Builder(cudnn_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "bind addresses")
      .set_all(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::span<const int64_t>(uids))
      .set_all(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, std::span<void* const>(pointers))
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, static_cast<void*>(args.scratch))
      .finalize();
}

Result<std::unique_ptr<BoundKernel>> PreparedConvolution::bind(const BindArgs& args) const {
  CudnnHandle handle;
  if (target_.handle() != nullptr) {
    PENULT_ASSIGN_OR_RETURN(handle, cudnn_handle(cudnn_, args.stream->handle()));
  }
  Result<Descriptor> pointers = bind_pointers(args);
  if (!pointers.ok()) return as_failure(pointers.status());
  return std::unique_ptr<BoundKernel>(
      std::make_unique<BoundConvolution>(*this, std::move(handle), std::move(pointers).value()));
}

}  // namespace

Operands Operands::of(const BindArgs& args, [[maybe_unused]] const Problem& problem) {
  PENULT_DCHECK(is_dense(problem.src[0]) && is_dense(problem.dst));
  PENULT_DCHECK(args.residual == nullptr || is_dense(problem.residual));
  return {.src = reinterpret_cast<const std::byte*>(args.src[0]),
          .residual = reinterpret_cast<const std::byte*>(args.residual),
          .dst = reinterpret_cast<std::byte*>(args.dst)};
}

Result<std::unique_ptr<PreparedKernel>> prepare_convolution(const Cudnn& cudnn, Target target,
                                                            const PrepareArgs& args,
                                                            Precision precision) {
  const Convolution convolution = convolution_of(args.problem, args.max_batch, precision);
  PENULT_ASSIGN_OR_RETURN(ConvolutionGraph graph,
                          ConvolutionGraph::make(cudnn, convolution, target));
  PENULT_ASSIGN_OR_RETURN(Plan plan, make_plan(cudnn, graph, target));
  return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedConvolution>(
      cudnn, args.problem, precision, std::move(target), std::move(graph), std::move(plan)));
}

Result<std::unique_ptr<PreparedKernel>> prepare_convolution(const PrepareArgs& args,
                                                            Precision precision) {
  PENULT_ASSIGN_OR_RETURN(const Cudnn* cudnn, load_cudnn());
  PENULT_ASSIGN_OR_RETURN(CudnnHandle handle, cudnn_handle(*cudnn, nullptr));
  // The handle for planning is one for all threads of a device.
  static std::mutex planning;
  const std::lock_guard lock(planning);
  return prepare_convolution(*cudnn, Target::of_handle(std::move(handle)), args, precision);
}

}  // namespace penult::kernels::cudnn
