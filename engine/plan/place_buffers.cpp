// Where values lie in the arena.

#include <algorithm>
#include <numeric>
#include <optional>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/plan/arena.h"
#include "engine/plan/plan.h"

namespace penult {
namespace {

// For each thread. A prepared kernel has the scratch of all threads to itself.
uint64_t scratch_bytes(const Step& step, int threads) {
  if (!step.prepared) return step.kernel->scratch_bytes(step.problem);
  const auto parts = static_cast<uint64_t>(threads);
  return (step.prepared->scratch_bytes() + parts - 1) / parts;
}

Status exceeds(uint64_t bytes, const Plan& plan) {
  return Status(StatusCode::kLimitExceeded,
                concat("activations of ", plan.images_at_once, " images need ", bytes,
                       " bytes, the budget is ", plan.options.memory_budget_bytes,
                       "; use a smaller batch or a smaller input size"));
}

// The steps during which each step's values have to be there.
struct Span {
  int first, last;
};

std::vector<Span> spans(const Plan& plan) {
  std::vector<Span> spans(plan.steps.size());
  for (int s = 0; s < static_cast<int>(spans.size()); ++s) spans[s] = {s, s};
  for (const Chain& chain : plan.chains)
    for (int s = chain.first; s <= chain.last; ++s) spans[s] = {chain.first, chain.last};
  return spans;
}

// Lifetimes from the steps; of values that nobody computes, and of rings, none.
std::vector<std::optional<Lifetime>> lifetimes_of(const Plan& plan, const std::vector<Span>& when) {
  std::vector<std::optional<Lifetime>> lifetimes(plan.buffers.size());
  for (int s = 0; s < static_cast<int>(plan.steps.size()); ++s) {
    const Step& step = plan.steps[s];
    const auto touch = [&](int buffer) {
      if (buffer < 0 || plan.buffers[buffer].desc.ring_rows > 0) return;
      if (!lifetimes[buffer]) lifetimes[buffer] = Lifetime{.first = when[s].first};
      lifetimes[buffer]->last = when[s].last;
    };
    touch(step.dst);
    for (const int buffer : step.src) touch(buffer);
    touch(step.residual);
  }
  return lifetimes;
}

// Whether a step may write its dst over its residual. Within a chain other steps read what lies
// there for rows to come.
bool overwrites_residual(const Plan& plan, const std::vector<Span>& when, int s,
                         const std::vector<std::optional<Lifetime>>& lifetimes) {
  const Step& step = plan.steps[s];
  if (step.residual < 0 || !step.kernel->overwrites_residual) return false;
  if (when[s].first != when[s].last) return false;
  const auto& residual = lifetimes[step.residual];
  const auto& dst = lifetimes[step.dst];
  return residual && dst && residual->last == s &&
         std::find(step.src.begin(), step.src.end(), step.residual) == step.src.end() &&
         plan.buffers[step.residual].desc == plan.buffers[step.dst].desc;
}

// For each buffer the one whose memory it takes over, or itself. That one lives as long as both.
std::vector<int> share_memory(const Plan& plan, const std::vector<Span>& when,
                              std::vector<std::optional<Lifetime>>& lifetimes) {
  std::vector<int> home(plan.buffers.size());
  std::iota(home.begin(), home.end(), 0);
  for (int s = 0; s < static_cast<int>(plan.steps.size()); ++s) {
    if (!overwrites_residual(plan, when, s, lifetimes)) continue;
    const Step& step = plan.steps[s];
    home[step.dst] = home[step.residual];
    lifetimes[home[step.dst]]->last = lifetimes[step.dst]->last;
  }
  return home;
}

}  // namespace

Status place_buffers(Plan& plan) {
  const std::vector<Span> when = spans(plan);
  auto lifetimes = lifetimes_of(plan, when);
  const std::vector<int> home = share_memory(plan, when, lifetimes);
  std::vector<Lifetime> placed;
  std::vector<size_t> place(plan.buffers.size());  // index into placed
  uint64_t sum = 0;
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    if (!lifetimes[i] || home[i] != static_cast<int>(i)) continue;
    const auto image = static_cast<uint64_t>(plan.buffers[i].desc.image_stride);
    const auto elems = checked_mul(image, static_cast<uint64_t>(plan.images_at_once));
    const auto elem_bytes = static_cast<uint64_t>(bytes_of(plan.options.precision));
    const auto bytes = elems ? checked_mul(*elems, elem_bytes) : std::nullopt;
    if (!bytes || *bytes > plan.options.memory_budget_bytes) {
      return exceeds(bytes.value_or(UINT64_MAX), plan);
    }
    place[i] = placed.size();
    placed.push_back(*lifetimes[i]);
    placed.back().bytes = align_up(*bytes, plan.alignment());
    sum += placed.back().bytes;  // at most 65,536 values of at most the budget: cannot overflow
  }
  plan.arena_bytes = assign_offsets(placed);
  PENULT_DCHECK(plan.arena_bytes <= sum || sum == 0);
  for (size_t i = 0; i < lifetimes.size(); ++i)
    if (lifetimes[i]) plan.buffers[i].offset_bytes = placed[place[home[i]]].offset;
  for (const Step& step : plan.steps) {
    if (step.kernel == nullptr) continue;
    plan.scratch_bytes =
        std::max(plan.scratch_bytes, align_up(scratch_bytes(step, plan.options.threads), 64));
  }
  const uint64_t total = plan.arena_bytes + (plan.scratch_bytes + plan.ring_bytes) *
                                                static_cast<uint64_t>(plan.options.threads);
  if (total > plan.options.memory_budget_bytes) return exceeds(total, plan);
  return {};
}

}  // namespace penult
