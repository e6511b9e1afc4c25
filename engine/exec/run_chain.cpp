// Steps that go through a map together (Plan::chains). Each thread takes its rows of the last dst,
// and computes anew the few rows above them that another thread has for itself.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "engine/exec/executor.h"

namespace penult {
namespace {

using kernels::Range;

// Whole rows of zeros around the map, as far as they are in `rows`; `ring` is pixel (0,0).
void zero_rows_outside(const kernels::TensorDesc& desc, float* ring, Range rows) {
  const auto zero = [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const int64_t slot = (y % desc.ring_rows + desc.ring_rows) % desc.ring_rows;
      float* const row = ring + slot * desc.row_stride - desc.halo.left * desc.pixel_stride;
      std::memset(row, 0, static_cast<size_t>(desc.row_stride) * sizeof(float));
    }
  };
  zero(rows.begin, std::min<int64_t>(rows.end, 0));
  zero(std::max(rows.begin, desc.shape.h), rows.end);
}

Range inside(Range rows, int64_t height) {
  return {std::max<int64_t>(rows.begin, 0), std::min(rows.end, height)};
}

// Rows of src that the rows of dst need, without those before `done`.
Range needed(Range rows, const kernels::RowWindow& window, int64_t done) {
  if (rows.empty()) return {done, done};
  const int64_t begin = rows.begin * window.stride - window.pad;
  const int64_t end = (rows.end - 1) * window.stride - window.pad + window.extent;
  return {std::max(begin, done), end};
}

}  // namespace

void Workspace::run_chain(const Chain& chain, int64_t n, Part part) {
  const int dst = plan_.steps[chain.last].dst;
  const int64_t height = plan_.buffers[dst].desc.shape.h;
  zero_halo(plan_.buffers[dst].desc, pixel_zero(dst, part.thread), n, part);
  zero_ring_edges(chain, part.thread);
  const int64_t end = part.end(n * height);
  for (int64_t row = part.begin(n * height); row < end;) {
    const int64_t image = row / height, y = row % height;
    const int64_t rows = std::min(height - y, end - row);
    run_rows(chain, n, part.thread, image, {y, y + rows});
    row += rows;
  }
}

// Left and right of the map: no kernel writes there.
void Workspace::zero_ring_edges(const Chain& chain, int thread) {
  for (int s = chain.first; s < chain.last; ++s) {
    const int dst = plan_.steps[s].dst;
    const kernels::TensorDesc& desc = plan_.buffers[dst].desc;
    const int64_t left = desc.halo.left * desc.pixel_stride;
    const int64_t right = desc.halo.right * desc.pixel_stride;
    float* row = pixel_zero(dst, thread);
    for (int64_t slot = 0; slot < desc.ring_rows; ++slot, row += desc.row_stride) {
      std::memset(row - left, 0, static_cast<size_t>(left) * sizeof(float));
      std::memset(row + desc.shape.w * desc.pixel_stride, 0,
                  static_cast<size_t>(right) * sizeof(float));
    }
  }
}

// Rows of the last dst of one image, a band at a time. Before each band every step computes what
// the next one needs and the ring does not hold yet. Rows outside a map are zeros and need nothing.
void Workspace::run_rows(const Chain& chain, int64_t n, int thread, int64_t image, Range rows) {
  const int count = chain.last - chain.first + 1;
  std::array<Range, Chain::kMaxSteps> wanted;
  std::array<int64_t, Chain::kMaxSteps> done;  // rows before it are there, or are not needed
  done.fill(INT64_MIN);
  for (int64_t y = rows.begin; y < rows.end; y += chain.band_rows) {
    wanted[count - 1] = {y, std::min(y + chain.band_rows, rows.end)};
    for (int i = count - 1; i > 0; --i) {
      const int64_t height = plan_.buffers[plan_.steps[chain.first + i].dst].desc.shape.h;
      wanted[i - 1] = needed(inside(wanted[i], height), chain.windows[i], done[i - 1]);
    }
    for (int i = 0; i < count; ++i) {
      compute_rows(chain.first + i, n, thread, image, wanted[i]);
      done[i] = std::max(done[i], wanted[i].end);
      if (thread == 0) note_time(static_cast<size_t>(chain.first + i));
    }
  }
}

// Rows may be outside the map: a ring holds zeros for them.
void Workspace::compute_rows(int index, int64_t n, int thread, int64_t image, Range rows) {
  const Step& step = plan_.steps[index];
  const kernels::TensorDesc& desc = plan_.buffers[step.dst].desc;
  if (desc.ring_rows > 0) zero_rows_outside(desc, pixel_zero(step.dst, thread), rows);
  const Range computed = inside(rows, desc.shape.h);
  if (computed.empty()) return;
  kernels::RunArgs args = args_of(static_cast<size_t>(index), n, {thread, 1});
  args.thread = 0;
  args.rows = {image * desc.shape.h + computed.begin, image * desc.shape.h + computed.end};
  step.kernel->run(args);
}

}  // namespace penult
