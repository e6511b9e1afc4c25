// The three operators that are oneDNN's pooling: max_pool2d, avg_pool2d, global_avg_pool.

#include <algorithm>

#include "engine/base/text.h"
#include "kernels/onednn/tables.h"

namespace penult::kernels {
namespace {

using namespace onednn;
using dnnl::algorithm;

// What a window needs behind the last row or column of src.
int64_t overhang(int64_t out, int64_t stride, int64_t kernel, int64_t in, int64_t before) {
  return std::max<int64_t>(0, (out - 1) * stride + kernel - in - before);
}

Window window_of(const Problem& problem) {
  const Attributes& attrs = problem.attrs;
  const auto both = [&](const char* name) {
    return Dims{attrs.get_int(name, 0), attrs.get_int(name, 1)};
  };
  const Shape &src = problem.src[0].shape, &dst = problem.dst.shape;
  Window w{.kernel = both("kernel"),
           .strides = both("strides"),
           .dilations = {0, 0},
           .before = both("pads"),
           .after = {}};
  w.after = {overhang(dst.h, w.strides[0], w.kernel[0], src.h, w.before[0]),
             overhang(dst.w, w.strides[1], w.kernel[1], src.w, w.before[1])};
  return w;
}

dnnl::primitive_desc_base describe_window(const Problem& problem, int64_t n, algorithm algorithm,
                                          const Window& window) {
  const int64_t c = padded_channels(problem.src[0].shape.c);
  const Operands operands{.src = map_desc(n, c, problem.src[0].shape),
                          .weights = {},
                          .bias = {},
                          .dst = map_desc(n, c, problem.dst.shape)};
  return describe_pooling(engine(), algorithm, operands, window, attributes(problem, operands.dst));
}

std::string declines_max(const Problem& problem) {
  const int64_t dh = problem.attrs.get_int("dilations", 0);
  const int64_t dw = problem.attrs.get_int("dilations", 1);
  return dh == 1 && dw == 1 ? "" : concat("dilation must be 1, got ", dh, "x", dw);
}

dnnl::primitive_desc_base describe_max(const Problem& problem, int64_t n) {
  return describe_window(problem, n, algorithm::pooling_max, window_of(problem));
}

bool counts_padding(const Problem& problem) {
  return problem.attrs.get_int("count_include_pad") != 0;
}

// oneDNN divides by all of a window, PyTorch by what of it lies within the padding: with ceil_mode
// a window may reach further.
std::string declines_avg(const Problem& problem) {
  const Window w = window_of(problem);
  const int64_t bottom = problem.attrs.get_int("pads", 2);
  const int64_t right = problem.attrs.get_int("pads", 3);
  if (!counts_padding(problem) || (w.after[0] <= bottom && w.after[1] <= right)) return {};
  return "a window reaches beyond the padding, and the padding counts";
}

dnnl::primitive_desc_base describe_avg(const Problem& problem, int64_t n) {
  return describe_window(problem, n,
                         counts_padding(problem) ? algorithm::pooling_avg_include_padding
                                                 : algorithm::pooling_avg_exclude_padding,
                         window_of(problem));
}

dnnl::primitive_desc_base describe_global(const Problem& problem, int64_t n) {
  const Shape& src = problem.src[0].shape;
  const Window whole{.kernel = {src.h, src.w},
                     .strides = {1, 1},
                     .dilations = {0, 0},
                     .before = {0, 0},
                     .after = {0, 0}};
  return describe_window(problem, n, algorithm::pooling_avg_exclude_padding, whole);
}

constexpr Kernel kMax[] = {row<describe_max, declines_max>("max_pool2d_pooling_f32_onednn")};
constexpr Kernel kAvg[] = {row<describe_avg, declines_avg>("avg_pool2d_pooling_f32_onednn")};
constexpr Kernel kGlobal[] = {row<describe_global>("global_avg_pool_pooling_f32_onednn")};

}  // namespace

const Table onednn::kMaxPool2dTable = {"max_pool2d", kMax};
const Table onednn::kAvgPool2dTable = {"avg_pool2d", kAvg};
const Table onednn::kGlobalAvgPoolTable = {"global_avg_pool", kGlobal};

}  // namespace penult::kernels
