#include "kernels/cuda/row.h"

#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "kernels/cuda/device.h"

namespace penult::kernels::cuda {
namespace {

class GpuBound : public BoundKernel {
 public:
  GpuBound(const GpuRow& row, const Problem& problem, const BindArgs& args)
      : row_(row),
        problem_(problem),
        src_(args.src, args.src + problem.src.size()),
        residual_(args.residual),
        dst_(args.dst),
        packed_(args.packed),
        scratch_(args.scratch),
        stream_(args.stream->handle()) {}

  Status run(int64_t n) override {
    const gpu::Error error = row_.launch({.problem = problem_,
                                          .n = n,
                                          .src = src_.data(),
                                          .residual = residual_,
                                          .dst = dst_,
                                          .packed = packed_,
                                          .scratch = scratch_,
                                          .stream = stream_});
    if (error == 0) return {};
    return to_status(error, concat("starting ", row_.name).c_str());
  }

 private:
  const GpuRow& row_;
  const Problem& problem_;  // of the prepared kernel, which outlives this
  std::vector<const void*> src_;
  const void* residual_;
  void* dst_;
  const std::byte* packed_;
  std::byte* scratch_;
  gpu::Stream stream_;
};

class GpuPrepared : public PreparedKernel {
 public:
  GpuPrepared(const GpuRow& row, const PrepareArgs& args)
      : row_(row), problem_(args.problem), max_batch_(args.max_batch) {}

  size_t packed_bytes() const override { return row_.packed_bytes(problem_); }
  Status pack(Weights& weights, std::byte* packed) const override {
    return row_.pack == nullptr ? Status() : row_.pack(problem_, weights, packed);
  }
  size_t scratch_bytes() const override {
    return row_.scratch_bytes == nullptr ? 0 : row_.scratch_bytes(problem_, max_batch_);
  }
  Result<std::unique_ptr<BoundKernel>> bind(const BindArgs& args) const override {
    return std::unique_ptr<BoundKernel>(new GpuBound(row_, problem_, args));
  }
  std::string implementation() const override { return row_.name; }

 private:
  const GpuRow& row_;
  const Problem problem_;
  const int64_t max_batch_;
};

}  // namespace

Result<std::unique_ptr<PreparedKernel>> prepare_row(const GpuRow& row, const PrepareArgs& args) {
  return std::unique_ptr<PreparedKernel>(new GpuPrepared(row, args));
}

}  // namespace penult::kernels::cuda
