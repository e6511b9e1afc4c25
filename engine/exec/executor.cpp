#include "engine/exec/executor.h"

#include "engine/base/check.h"
#include "engine/exec/deliver.h"

namespace penult {

Result<std::unique_ptr<Workspace>> Workspace::create(const Plan& plan) {
  std::unique_ptr<Workspace> workspace(new Workspace(plan));
  PENULT_ASSIGN_OR_RETURN(workspace->arena_, AlignedBuffer::allocate(plan.arena_bytes));
  PENULT_ASSIGN_OR_RETURN(workspace->scratch_,
                          AlignedBuffer::allocate(plan.scratch_bytes * plan.options.threads));
  PENULT_ASSIGN_OR_RETURN(workspace->pool_, ThreadPool::create(plan.options.threads));
  for (const Step& step : plan.steps) {
    workspace->src_begin_.push_back(workspace->src_pointers_.size());
    for (const int buffer : step.src) {
      workspace->src_pointers_.push_back(workspace->pixel_zero(buffer));
    }
  }
  return workspace;
}

float* Workspace::pixel_zero(int buffer) {
  const Buffer& b = plan_.buffers[buffer];
  return reinterpret_cast<float*>(arena_.data() + b.offset_bytes) + b.origin_floats();
}

Status Workspace::run(const float* images, int64_t n, std::span<const std::span<float>> features) {
  images_ = images;
  n_ = n;
  features_ = features;
  return pool_->run(
      [](void* self, int thread) { static_cast<Workspace*>(self)->run_thread(thread); }, this);
}

void Workspace::run_thread(int thread) {
  for (size_t s = 0; s < plan_.steps.size(); ++s) {
    run_step(s, thread);
    pool_->barrier(thread);
  }
}

void Workspace::run_step(size_t index, int thread) {
  const Step& step = plan_.steps[index];
  const Part part{thread, plan_.options.threads};
  if (step.dst >= 0) zero_halo(plan_.buffers[step.dst].desc, pixel_zero(step.dst), n_, part);
  const float* const* src = src_pointers_.data() + src_begin_[index];
  switch (step.kind) {
    case Step::Kind::kInput:
      copy_input(images_, plan_.buffers[step.dst].desc, pixel_zero(step.dst), n_, part);
      return;
    case Step::Kind::kDeliver:
      deliver(plan_.buffers[step.src[0]].desc, src[0], plan_.deliveries[step.delivery].pooling,
              features_[step.delivery].data(), n_, part);
      return;
    case Step::Kind::kKernel:
      step.kernel->run({.problem = step.problem,
                        .n = n_,
                        .src = src,
                        .residual = step.residual >= 0 ? pixel_zero(step.residual) : nullptr,
                        .dst = pixel_zero(step.dst),
                        .packed = plan_.packed->data() + step.packed_offset,
                        .scratch = scratch_.data() + plan_.scratch_bytes * part.thread,
                        .thread = part.thread,
                        .threads = part.threads});
  }
}

}  // namespace penult
