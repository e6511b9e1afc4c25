#include "kernels/cuda/cudnn/convolution.h"

#include <algorithm>
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

// A plan is bound to the graph's shapes, so there are two: for max_batch images and for one.
struct Variant {
  ConvolutionGraph graph;
  Plan plan;
};

Result<Variant> make_variant(const Cudnn& cudnn, const Convolution& convolution,
                             const Target& target) {
  PENULT_ASSIGN_OR_RETURN(ConvolutionGraph graph,
                          ConvolutionGraph::make(cudnn, convolution, target));
  PENULT_ASSIGN_OR_RETURN(Plan plan, make_plan(cudnn, graph, target));
  return Variant{std::move(graph), std::move(plan)};
}

class PreparedConvolution : public PreparedKernel {
 public:
  PreparedConvolution(const Cudnn& cudnn, const PrepareArgs& args, Precision precision,
                      Target target)
      : cudnn_(cudnn),
        problem_(args.problem),
        max_batch_(args.max_batch),
        precision_(precision),
        target_(std::move(target)),
        weights_(packed_convolution(args.problem, precision)) {}

  Status make_plans() {
    for (const int64_t n : {max_batch_, int64_t{1}}) {
      const Convolution convolution = convolution_of(problem_, n, precision_);
      PENULT_ASSIGN_OR_RETURN(Variant variant, make_variant(cudnn_, convolution, target_));
      variants_.push_back(std::move(variant));
      if (max_batch_ == 1) break;
    }
    return {};
  }

  size_t packed_bytes() const override { return weights_.bytes(); }
  Status pack(Weights& weights, std::byte* packed) const override {
    return weights_.pack(weights, packed);
  }
  size_t scratch_bytes() const override {
    return std::max(batch().workspace_bytes, image().workspace_bytes);
  }
  Result<std::unique_ptr<BoundKernel>> bind(const BindArgs& args) const override;
  std::string implementation() const override { return concat("cudnn:engine", batch().engine); }

  Result<Descriptor> bind_pointers(const Operands& operands, const BindArgs& args) const;
  Status execute(cudnnHandle_t handle, const Plan& plan, const Descriptor& pointers) const {
    // One plan may not be executed by two threads at once; this only queues work.
    const std::lock_guard lock(mutex_);
    return status_of(cudnn_, cudnn_.execute(handle, plan.plan.get(), pointers.get()), "execute");
  }
  const Cudnn& cudnn() const { return cudnn_; }
  const Problem& problem() const { return problem_; }
  Precision precision() const { return precision_; }
  int64_t max_batch() const { return max_batch_; }
  const Plan& batch() const { return variants_.front().plan; }
  const Plan& image() const { return variants_.back().plan; }

 private:
  const Cudnn& cudnn_;
  const Problem problem_;
  const int64_t max_batch_;
  const Precision precision_;
  const Target target_;
  const PackedWeights weights_;
  std::vector<Variant> variants_;  // for max_batch images first, for one last
  mutable std::mutex mutex_;
};

class BoundConvolution : public BoundKernel {
 public:
  BoundConvolution(const PreparedConvolution& prepared, CudnnHandle handle, Descriptor batch,
                   std::vector<Descriptor> images)
      : prepared_(prepared),
        handle_(std::move(handle)),
        batch_(std::move(batch)),
        images_(std::move(images)) {}

  Status run(int64_t n) override {
    if (n == prepared_.max_batch())
      return prepared_.execute(handle_.get(), prepared_.batch(), batch_);
    for (int64_t i = 0; i < n; ++i) {
      PENULT_RETURN_IF_ERROR(
          prepared_.execute(handle_.get(), prepared_.image(), images_[static_cast<size_t>(i)]));
    }
    return {};
  }

 private:
  const PreparedConvolution& prepared_;
  const CudnnHandle handle_;
  const Descriptor batch_;
  const std::vector<Descriptor> images_;  // those of the runs that are not of max_batch
};

Result<Descriptor> PreparedConvolution::bind_pointers(const Operands& operands,
                                                      const BindArgs& args) const {
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
  PENULT_ASSIGN_OR_RETURN(CudnnHandle handle, cudnn_handle(cudnn_, args.stream->handle()));
  const Operands operands = Operands::of(args, problem_);
  PENULT_ASSIGN_OR_RETURN(Descriptor batch, bind_pointers(operands, args));
  std::vector<Descriptor> images;
  for (int64_t i = 0; i + 1 < max_batch_; ++i) {
    PENULT_ASSIGN_OR_RETURN(Descriptor image,
                            bind_pointers(operands.at(i, problem_, precision_), args));
    images.push_back(std::move(image));
  }
  return std::unique_ptr<BoundKernel>(std::make_unique<BoundConvolution>(
      *this, std::move(handle), std::move(batch), std::move(images)));
}

}  // namespace

Operands Operands::of(const BindArgs& args, [[maybe_unused]] const Problem& problem) {
  PENULT_DCHECK(is_dense(problem.src[0]) && is_dense(problem.dst));
  PENULT_DCHECK(args.residual == nullptr || is_dense(problem.residual));
  return {.src = reinterpret_cast<const std::byte*>(args.src[0]),
          .residual = reinterpret_cast<const std::byte*>(args.residual),
          .dst = reinterpret_cast<std::byte*>(args.dst)};
}

Operands Operands::at(int64_t image, const Problem& problem, Precision precision) const {
  const auto offset = [&](const Shape& shape) {
    return image * shape.h * shape.w * cuda::padded(shape.c) * bytes_of(precision);
  };
  const int64_t dst_offset = offset(problem.dst.shape);
  return {.src = src + offset(problem.src[0].shape),
          .residual = residual == nullptr ? nullptr : residual + dst_offset,
          .dst = dst + dst_offset};
}

Result<std::unique_ptr<PreparedKernel>> prepare_convolution(const PrepareArgs& args,
                                                            Precision precision) {
  PENULT_ASSIGN_OR_RETURN(const Cudnn* cudnn, load_cudnn());
  PENULT_ASSIGN_OR_RETURN(CudnnHandle handle, cudnn_handle(*cudnn, nullptr));
  auto prepared = std::make_unique<PreparedConvolution>(*cudnn, args, precision,
                                                        Target::of_handle(std::move(handle)));
  // The handle for planning is one for all threads of a device.
  static std::mutex planning;
  const std::lock_guard lock(planning);
  PENULT_RETURN_IF_ERROR(prepared->make_plans());
  return std::unique_ptr<PreparedKernel>(std::move(prepared));
}

}  // namespace penult::kernels::cudnn
