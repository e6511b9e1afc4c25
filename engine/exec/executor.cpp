#include "engine/exec/executor.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/exec/deliver.h"

namespace penult {

Result<std::unique_ptr<Workspace>> Workspace::create(const Plan& plan) {
  std::unique_ptr<Workspace> workspace(new Workspace(plan));
  const int threads = plan.options.threads;
  PENULT_ASSIGN_OR_RETURN(workspace->arena_, AlignedBuffer::allocate(plan.arena_bytes));
  PENULT_ASSIGN_OR_RETURN(workspace->scratch_,
                          AlignedBuffer::allocate(plan.scratch_bytes * threads));
  PENULT_ASSIGN_OR_RETURN(workspace->rings_, AlignedBuffer::allocate(plan.ring_bytes * threads));
  PENULT_ASSIGN_OR_RETURN(workspace->pool_, ThreadPool::create(plan.module ? 1 : threads));
  workspace->src_pointers_.resize(static_cast<size_t>(threads));
  for (int thread = 0; thread < threads; ++thread) {
    std::vector<const float*>& pointers = workspace->src_pointers_[static_cast<size_t>(thread)];
    for (const Step& step : plan.steps) {
      if (thread == 0) workspace->src_begin_.push_back(pointers.size());
      for (const int buffer : step.src) pointers.push_back(workspace->pixel_zero(buffer, thread));
    }
  }
  for (const Step& step : plan.steps) PENULT_RETURN_IF_ERROR(workspace->bind_step(step));
  return workspace;
}

Status Workspace::bind_step(const Step& step) {
  std::unique_ptr<kernels::BoundKernel>& bound = bound_.emplace_back();
  if (!step.prepared) return {};
  const kernels::RunArgs args = args_of(bound_.size() - 1, 0, {0, 1});
  PENULT_ASSIGN_OR_RETURN(bound, step.prepared->bind({.src = args.src,
                                                      .residual = args.residual,
                                                      .dst = args.dst,
                                                      .packed = args.packed,
                                                      .scratch = args.scratch}));
  return {};
}

float* Workspace::pixel_zero(int buffer, int thread) {
  const Buffer& b = plan_.buffers[buffer];
  std::byte* const memory = b.desc.ring_rows > 0
                                ? rings_.data() + plan_.ring_bytes * static_cast<size_t>(thread)
                                : arena_.data();
  return reinterpret_cast<float*>(memory + b.offset_bytes) + b.origin_floats();
}

Status Workspace::run(const InputImages& images, int64_t n,
                      std::span<const std::span<float>> features, std::span<double> step_ms) {
  images_ = images;
  n_ = n;
  features_ = features;
  step_ms_ = step_ms;
  std::fill(step_ms_.begin(), step_ms_.end(), 0.0);
  if (!step_ms_.empty()) step_start_ = std::chrono::steady_clock::now();
  if (plan_.module != nullptr) return run_by_team();
  return pool_->run(
      [](void* self, int thread) { static_cast<Workspace*>(self)->run_thread(thread); }, this);
}

void Workspace::run_thread(int thread) {
  for (Group group{0, 0}; group.first < n_; group.first += group.n) {
    group.n = std::min(plan_.images_at_once, n_ - group.first);
    auto chain = plan_.chains.begin();
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      const Part part{thread, plan_.options.threads};
      if (chain != plan_.chains.end() && chain->first == static_cast<int>(s)) {
        run_chain(*chain, group.n, part);
        s = static_cast<size_t>(chain->last);
        ++chain;
      } else {
        run_step(s, group, part);
      }
      pool_->barrier(thread);
      if (thread == 0) note_time(s);
    }
  }
}

void Workspace::note_time(size_t step) {
  if (step_ms_.empty()) return;
  const auto now = std::chrono::steady_clock::now();
  step_ms_[step] += std::chrono::duration<double, std::milli>(now - step_start_).count();
  step_start_ = now;
}

// The library starts its own team for its steps; for ours we borrow it. All images go together.
Status Workspace::run_by_team() {
  const kernels::BackendModule& module = *plan_.module;
  const int threads = plan_.options.threads;
  PENULT_RETURN_IF_ERROR(module.check_process(threads));
  struct Context {
    Workspace* self;
    size_t step;
  };
  for (size_t s = 0; s < plan_.steps.size(); ++s) {
    const int dst = plan_.steps[s].dst;
    if (bound_[s]) {
      zero_halo(plan_.buffers[dst].desc, pixel_zero(dst, 0), n_, {0, 1});
      PENULT_RETURN_IF_ERROR(bound_[s]->run(n_));
      note_time(s);
      continue;
    }
    Context context{this, s};
    module.run_team(
        threads,
        [](void* c, int thread) {
          const auto [self, step] = *static_cast<Context*>(c);
          self->run_step(step, {0, self->n_}, {thread, self->plan_.options.threads});
        },
        &context);
    note_time(s);
  }
  return {};
}

kernels::RunArgs Workspace::args_of(size_t index, int64_t n, Part part) {
  const Step& step = plan_.steps[index];
  return {.problem = step.problem,
          .n = n,
          .src = src_pointers_[part.thread].data() + src_begin_[index],
          .residual = step.residual >= 0 ? pixel_zero(step.residual, part.thread) : nullptr,
          .dst = pixel_zero(step.dst, part.thread),
          .packed = plan_.packed.host->data() + step.packed_offset,
          .scratch = scratch_.data() + plan_.scratch_bytes * part.thread,
          .thread = part.thread,
          .threads = part.threads};
}

void Workspace::run_step(size_t index, Group group, Part part) {
  const Step& step = plan_.steps[index];
  if (step.dst >= 0)
    zero_halo(plan_.buffers[step.dst].desc, pixel_zero(step.dst, part.thread), group.n, part);
  const float* const* src = src_pointers_[part.thread].data() + src_begin_[index];
  switch (step.kind) {
    case Step::Kind::kInput:
      copy_input(images_.behind(group.first * plan_.input.elems()), plan_.buffers[step.dst].desc,
                 pixel_zero(step.dst, part.thread), group.n, part);
      return;
    case Step::Kind::kDeliver: {
      const std::span<float> feature = features_[step.delivery];
      const int64_t elems = static_cast<int64_t>(feature.size()) / n_;
      deliver(plan_.buffers[step.src[0]].desc, src[0], plan_.deliveries[step.delivery].pooling,
              feature.data() + group.first * elems, group.n, part);
      return;
    }
    case Step::Kind::kKernel:
      step.kernel->run(args_of(index, group.n, part));
  }
}

}  // namespace penult
