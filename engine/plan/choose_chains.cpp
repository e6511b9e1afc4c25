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

// Weights of all steps: each band reads them again.
uint64_t weight_bytes(const Plan& plan, const Chain& chain) {
  uint64_t bytes = 0;
  for (int s = chain.first; s <= chain.last; ++s)
    bytes += plan.steps[s].kernel->packed_bytes(plan.steps[s].problem);
  return bytes;
}

// Rows at a time, as many as leave half of the cache to the weights and to what comes and goes; 0
// if the chain does not pay. A product of fewer than kLeastPixels rows reads its weights for too
// little work: bands of one row of 14 pixels made it a fifth slower (docs/decisions/0017).
int64_t choose_band_rows(const Plan& plan, const Chain& chain) {
  constexpr int64_t kMostRows = 8, kLeastPixels = 96;
  const uint64_t cache_bytes = plan.options.cache_bytes, room = cache_bytes / 2;
  const Shape& dst = plan.buffers[plan.steps[chain.last].dst].desc.shape;
  if (cache_bytes <= PlanOptions::kEveryChain)
    return std::min(dst.h, static_cast<int64_t>(cache_bytes));
  if (weight_bytes(plan, chain) > room) return 0;
  const int64_t least = std::min(dst.h, (kLeastPixels + dst.w - 1) / dst.w);
  int64_t rows = std::min(dst.h, std::max(kMostRows, least));
  while (rows >= least && ring_bytes(plan, chain, ring_rows(plan, chain, rows)) > room) --rows;
  return rows >= least ? rows : 0;
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

Chain chain_of(const Plan& plan, int first, int last) {
  Chain chain{.first = first, .last = last};
  for (int s = first; s <= last; ++s)
    chain.windows.push_back(plan.steps[s].kernel->row_window(plan.steps[s].problem));
  chain.band_rows = choose_band_rows(plan, chain);
  return chain;
}

// The chains that a run of linked steps is cut into: of all ways, the one that makes rings of most
// bytes of maps. The best way up to a step is the best way up to where the step's chain begins, and
// that chain.
std::vector<Chain> cut_into_chains(const Plan& plan, int first, int last) {
  struct Cut {
    uint64_t ring_bytes = 0;
    Chain chain = {};  // the last one; of one step, if it is in none
  };
  std::vector<Cut> best(static_cast<size_t>(last - first + 2));  // of so many steps
  for (int end = first; end <= last; ++end) {
    const auto before = [&](int s) { return best[static_cast<size_t>(s - first)].ring_bytes; };
    Cut cut{before(end), {.first = end, .last = end}};
    uint64_t bytes = 0;
    for (int begin = end - 1; begin >= first && end - begin < Chain::kMaxSteps; --begin) {
      const kernels::TensorDesc& map = plan.buffers[plan.steps[begin].dst].desc;
      bytes += static_cast<uint64_t>(map.image_stride) * sizeof(float);
      if (before(begin) + bytes <= cut.ring_bytes) continue;
      Chain chain = chain_of(plan, begin, end);
      if (chain.band_rows > 0) cut = {before(begin) + bytes, std::move(chain)};
    }
    best[static_cast<size_t>(end - first + 1)] = std::move(cut);
  }
  std::vector<Chain> chains;
  for (int end = last; end >= first;) {
    Chain& chain = best[static_cast<size_t>(end - first + 1)].chain;
    end = chain.first - 1;
    if (chain.last > chain.first) chains.push_back(std::move(chain));
  }
  std::reverse(chains.begin(), chains.end());
  return chains;
}

}  // namespace

void choose_chains(Plan& plan) {
  if (plan.module != nullptr) return;
  const std::vector<int> readers = count_readers(plan);
  const auto count = static_cast<int>(plan.steps.size());
  for (int first = 0, last = 0; first < count; first = ++last) {
    while (last + 1 < count && links(plan, readers, plan.steps[last], plan.steps[last + 1])) ++last;
    if (last == first) continue;
    for (Chain& chain : cut_into_chains(plan, first, last)) {
      lay_out_rings(plan, chain);
      plan.chains.push_back(std::move(chain));
    }
  }
}

}  // namespace penult
