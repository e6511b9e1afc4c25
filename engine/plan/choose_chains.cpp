// Runs of steps that go through a map together, a band of rows at a time: what lies between two of
// them is a ring of rows that stays in the cache, instead of a map that goes out to memory and
// comes back. Rows are computed as ever, so no bit depends on it.

#include <algorithm>
#include <utility>

#include "engine/plan/plan.h"

namespace penult {
namespace {

// Nothing is gained where each thread's own cache holds its share of the map.
bool is_large(const kernels::TensorDesc& desc, const PlanOptions& options) {
  const auto bytes = static_cast<uint64_t>(desc.image_stride) * sizeof(float);
  return bytes / static_cast<uint64_t>(options.threads) > options.cache_bytes;
}

// Steps that read each value, a residual and a delivery included.
std::vector<int> count_readers(const Plan& plan) {
  std::vector<int> readers(plan.buffers.size(), 0);
  for (const Step& step : plan.steps) {
    for (const int buffer : step.src) ++readers[buffer];
    if (step.residual >= 0) ++readers[step.residual];
  }
  return readers;
}

bool works_by_rows(const Step& step) {
  return step.kind == Step::Kind::kKernel && !step.prepared && step.kernel->row_window != nullptr;
}

// Whether what `step` yields can be a ring that `next` alone reads.
bool links(const Plan& plan, const std::vector<int>& readers, const Step& step, const Step& next) {
  return works_by_rows(step) && works_by_rows(next) && next.src[0] == step.dst &&
         readers[step.dst] == 1 && next.kernel->ring_src(next.problem) &&
         is_large(plan.buffers[step.dst].desc, plan.options);
}

// Rows of each ring, if the chain yields `band_rows` at a time: those that the next step needs for
// as many rows as it ever computes in one call, which are those of its own ring.
std::vector<int64_t> ring_rows(const Plan& plan, const Chain& chain, int64_t band_rows) {
  std::vector<int64_t> rows = {band_rows};
  for (int s = chain.last; s > chain.first; --s) {
    const kernels::RowWindow& window = chain.windows[static_cast<size_t>(s - chain.first)];
    const kernels::Halo& halo = plan.buffers[plan.steps[s].src[0]].desc.halo;
    const int64_t all = halo.top + plan.buffers[plan.steps[s].src[0]].desc.shape.h + halo.bottom;
    rows.push_back(std::min(all, (rows.back() - 1) * window.stride + window.extent));
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

uint64_t ring_bytes(const Plan& plan, const Chain& chain, const std::vector<int64_t>& rows) {
  uint64_t bytes = 0;
  for (int s = chain.first; s < chain.last; ++s) {
    const kernels::TensorDesc& desc = plan.buffers[plan.steps[s].dst].desc;
    bytes += static_cast<uint64_t>(rows[static_cast<size_t>(s - chain.first)] * desc.row_stride) *
             sizeof(float);
  }
  return bytes;
}

// As many rows at a time as leave half of the cache to the weights and to what comes and goes.
int64_t choose_band_rows(const Plan& plan, const Chain& chain) {
  constexpr int64_t kMostRows = 8;
  int64_t rows = 1;
  while (rows < kMostRows &&
         ring_bytes(plan, chain, ring_rows(plan, chain, rows + 1)) <= plan.options.cache_bytes / 2)
    ++rows;
  return rows;
}

// Turns the maps between the steps into rings, one behind the other.
void lay_out_rings(Plan& plan, Chain& chain) {
  const std::vector<int64_t> rows = ring_rows(plan, chain, chain.band_rows);
  uint64_t offset = 0;
  for (int s = chain.first; s < chain.last; ++s) {
    Buffer& buffer = plan.buffers[plan.steps[s].dst];
    buffer.desc.halo.top = buffer.desc.halo.bottom = 0;
    buffer.desc.ring_rows = rows[static_cast<size_t>(s - chain.first)];
    buffer.desc.image_stride = 0;
    buffer.offset_bytes = offset;
    offset += static_cast<uint64_t>(buffer.desc.ring_rows * buffer.desc.row_stride) * sizeof(float);
    plan.steps[s].problem.dst = buffer.desc;
    plan.steps[s + 1].problem.src[0] = buffer.desc;
  }
  plan.ring_bytes = std::max(plan.ring_bytes, offset);
}

}  // namespace

void choose_chains(Plan& plan) {
  if (plan.module != nullptr) return;
  const std::vector<int> readers = count_readers(plan);
  const auto count = static_cast<int>(plan.steps.size());
  for (int first = 0; first < count; ++first) {
    Chain chain{.first = first, .last = first};
    while (chain.last + 1 < count && chain.last - chain.first + 1 < Chain::kMaxSteps &&
           links(plan, readers, plan.steps[chain.last], plan.steps[chain.last + 1]))
      ++chain.last;
    if (chain.last == first) continue;
    for (int s = first; s <= chain.last; ++s)
      chain.windows.push_back(plan.steps[s].kernel->row_window(plan.steps[s].problem));
    chain.band_rows = choose_band_rows(plan, chain);
    lay_out_rings(plan, chain);
    first = chain.last;
    plan.chains.push_back(std::move(chain));
  }
}

}  // namespace penult
