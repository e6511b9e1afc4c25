#include "bench/kernel_run.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "kernels/support.h"

namespace penult::bench {
namespace {

using kernels::TensorDesc;
using shapes::Dense;

Result<AlignedBuffer> zeros(size_t bytes) {
  PENULT_ASSIGN_OR_RETURN(AlignedBuffer buffer, AlignedBuffer::allocate(bytes));
  if (bytes > 0) std::memset(buffer.data(), 0, bytes);
  return buffer;
}

Result<AlignedBuffer> map_of(const TensorDesc& desc, int n) {
  return zeros(static_cast<size_t>(desc.image_stride * n) * sizeof(float));
}

float* pixel_zero(AlignedBuffer& buffer, const TensorDesc& desc) {
  return buffer.floats() + shapes::origin_of(desc);
}

// Twice the largest cache that the system tells of, within reason: virtual machines tell of none,
// or of a whole server's.
size_t eviction_bytes() {
  constexpr long kLeast = 64L << 20, kMost = 256L << 20;
  return static_cast<size_t>(std::clamp(2 * ::sysconf(_SC_LEVEL3_CACHE_SIZE), kLeast, kMost));
}

}  // namespace

Result<std::unique_ptr<KernelRun>> KernelRun::create(const KernelSetting& setting) {
  std::unique_ptr<KernelRun> run(new KernelRun(setting));
  PENULT_RETURN_IF_ERROR(run->place_tensors());
  PENULT_RETURN_IF_ERROR(setting.kernel->prepare ? run->start_prepared() : run->start_own());
  return run;
}

Status KernelRun::place_tensors() {
  const int n = setting_.n;
  auto numbers = shapes::KernelCase::make(*setting_.spec, shapes::Numbers::kReals, n);
  problem_ = make_problem(*setting_.spec);
  const kernels::Problem bare = problem_;
  for (size_t i = 0; i < problem_.src.size(); ++i) {
    TensorDesc& desc = problem_.src[i];
    const kernels::Halo halo = setting_.kernel->src_halo(bare, static_cast<int>(i));
    desc = shapes::lay_out(desc.shape, halo);
    if (i == 0 && setting_.kernel->spread_src(bare)) {
      const int64_t pixel = desc.pixel_stride;
      desc = shapes::lay_out(desc.shape, halo, kernels::spread_pixel(pixel) - pixel);
    }
    PENULT_ASSIGN_OR_RETURN(AlignedBuffer buffer, map_of(desc, n));
    shapes::copy_in(numbers.src[i], desc, pixel_zero(buffer, desc), n);
    src_.push_back(pixel_zero(buffer, desc));
    sources_.push_back(std::move(buffer));
  }
  problem_.dst = shapes::lay_out(bare.dst.shape, {});
  PENULT_ASSIGN_OR_RETURN(dst_, map_of(problem_.dst, n));
  if (problem_.epilogue.residual) {
    problem_.residual = shapes::lay_out(bare.dst.shape, {});
    PENULT_ASSIGN_OR_RETURN(residual_, map_of(problem_.residual, n));
    shapes::copy_in(numbers.residual, problem_.residual, residual_.floats(), n);
  }
  weights_ = std::move(numbers.weights);
  return {};
}

Status KernelRun::start_own() {
  const kernels::Kernel& kernel = *setting_.kernel;
  PENULT_ASSIGN_OR_RETURN(packed_, zeros(kernel.packed_bytes(problem_)));
  kernels::LoadedWeights weights({weights_.begin(), weights_.end()}, problem_.dst.shape.c);
  kernel.pack(problem_, weights, packed_.data());
  constexpr size_t kAlignment = AlignedBuffer::kAlignment;
  scratch_bytes_ = (kernel.scratch_bytes(problem_) + kAlignment - 1) / kAlignment * kAlignment;
  PENULT_ASSIGN_OR_RETURN(scratch_, zeros(scratch_bytes_ * static_cast<size_t>(setting_.threads)));
  PENULT_ASSIGN_OR_RETURN(pool_, ThreadPool::create(setting_.threads));
  return {};
}

Status KernelRun::start_prepared() {
  PENULT_ASSIGN_OR_RETURN(
      prepared_, setting_.kernel->prepare(
                     {.problem = problem_, .max_batch = setting_.n, .threads = setting_.threads}));
  PENULT_ASSIGN_OR_RETURN(packed_, zeros(prepared_->packed_bytes()));
  kernels::LoadedWeights weights({weights_.begin(), weights_.end()}, problem_.dst.shape.c);
  PENULT_RETURN_IF_ERROR(prepared_->pack(weights, packed_.data()));
  PENULT_ASSIGN_OR_RETURN(scratch_, zeros(prepared_->scratch_bytes()));
  PENULT_ASSIGN_OR_RETURN(
      bound_,
      prepared_->bind({.src = src_.data(),
                       .residual = problem_.epilogue.residual ? residual_.floats() : nullptr,
                       .dst = dst_.floats(),
                       .packed = packed_.data(),
                       .scratch = scratch_.data()}));
  return {};
}

Status KernelRun::run() {
  if (bound_) return bound_->run(setting_.n);
  return pool_->run(
      [](void* context, int thread) {
        auto& self = *static_cast<KernelRun*>(context);
        const size_t scratch_at = self.scratch_bytes_ * static_cast<size_t>(thread);
        self.setting_.kernel->run(
            {.problem = self.problem_,
             .n = self.setting_.n,
             .src = self.src_.data(),
             .residual = self.problem_.epilogue.residual ? self.residual_.floats() : nullptr,
             .dst = self.dst_.floats(),
             .packed = self.packed_.data(),
             .scratch = self.scratch_.data() + scratch_at,
             .thread = thread,
             .threads = self.setting_.threads});
      },
      this);
}

Status KernelRun::on_each_thread(void (*f)(void*, int), void* context) {
  if (pool_) return pool_->run(f, context);
  PENULT_RETURN_IF_ERROR(setting_.module->check_process(setting_.threads));
  setting_.module->run_team(setting_.threads, f, context);
  return {};
}

Status KernelRun::evict_caches() {
  if (other_data_.bytes() == 0) {
    PENULT_ASSIGN_OR_RETURN(other_data_, zeros(eviction_bytes()));
  }
  // Reads only: each thread reads all of it, and lines that two caches hold need no exchange.
  return on_each_thread(
      [](void* context, int) {
        const auto& data = *static_cast<const AlignedBuffer*>(context);
        constexpr size_t kStep = AlignedBuffer::kAlignment / sizeof(float);
        volatile float sink = 0;
        for (size_t i = 0; i < data.bytes() / sizeof(float); i += kStep) sink = data.floats()[i];
        static_cast<void>(sink);
      },
      &other_data_);
}

std::string KernelRun::implementation() const {
  return prepared_ ? prepared_->implementation() : std::string();
}

}  // namespace penult::bench
