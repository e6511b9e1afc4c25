// Every map is nhwc with channels padded to whole vectors, in a frame of zeros as wide as its most
// demanding reader needs: so no kernel has padding code, and one buffer serves all readers.

#include <algorithm>

#include "engine/base/checked.h"
#include "engine/plan/plan.h"

namespace penult {
namespace {

void widen(kernels::Halo& halo, const kernels::Halo& wanted) {
  halo.top = std::max(halo.top, wanted.top);
  halo.left = std::max(halo.left, wanted.left);
  halo.bottom = std::max(halo.bottom, wanted.bottom);
  halo.right = std::max(halo.right, wanted.right);
}

int64_t padded_channels(const Shape& shape, int64_t pad) {
  return static_cast<int64_t>(align_up(static_cast<uint64_t>(shape.c), static_cast<uint64_t>(pad)));
}

void set_strides(kernels::TensorDesc& desc, int64_t pixel_stride) {
  const Shape& shape = desc.shape;
  desc.pixel_stride = pixel_stride;
  desc.row_stride = (desc.halo.left + shape.w + desc.halo.right) * desc.pixel_stride;
  desc.image_stride = (desc.halo.top + shape.h + desc.halo.bottom) * desc.row_stride;
}

// If the network's input can do without padding: we write it, whereas kernels write whole vectors,
// and all that read it are kernels that take it.
bool input_is_dense(const Graph& graph, const std::vector<Step>& steps) {
  const ValueId input = graph.input;
  if (std::find(graph.outputs.begin(), graph.outputs.end(), input) != graph.outputs.end())
    return false;
  return std::all_of(steps.begin(), steps.end(), [&](const Step& step) {
    const auto others = step.src.empty() ? step.src.end() : step.src.begin() + 1;
    if (step.residual == input || std::find(others, step.src.end(), input) != step.src.end())
      return false;
    return step.src.empty() || step.src[0] != input || step.kernel->dense_src(step.problem);
  });
}

}  // namespace

void choose_layout(const Graph& graph, std::vector<Step>& steps, std::vector<Buffer>& buffers,
                   int64_t channel_pad) {
  buffers.resize(graph.values.size());
  for (size_t i = 0; i < buffers.size(); ++i) buffers[i].desc.shape = graph.values[i].shape;
  std::vector<bool> spread(buffers.size(), false);
  for (const Step& step : steps) {
    for (size_t i = 0; i < step.src.size(); ++i) {
      widen(buffers[step.src[i]].desc.halo,
            step.kernel->src_halo(step.problem, static_cast<int>(i)));
    }
    if (!step.src.empty() && step.kernel->spread_src(step.problem)) spread[step.src[0]] = true;
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    const int64_t pixel = padded_channels(buffers[i].desc.shape, channel_pad);
    set_strides(buffers[i].desc, spread[i] ? kernels::spread_pixel(pixel) : pixel);
  }
  if (input_is_dense(graph, steps))
    set_strides(buffers[graph.input].desc, graph.values[graph.input].shape.c);
  for (Step& step : steps) {
    for (size_t i = 0; i < step.src.size(); ++i) step.problem.src[i] = buffers[step.src[i]].desc;
    if (step.residual >= 0) step.problem.residual = buffers[step.residual].desc;
    step.problem.dst = buffers[step.dst].desc;
  }
}

}  // namespace penult
