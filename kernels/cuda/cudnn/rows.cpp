// The rows of backend cudnn. What a row declines is what the libraries were seen to refuse, or what
// would break a promise; the rest is found out by `prepare`, which has a device.

#include <array>
#include <limits>
#include <string>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/cuda/cudnn/convolution.h"
#include "kernels/cuda/cudnn/library.h"
#include "kernels/cuda/cudnn/matmul.h"
#include "kernels/cuda/cudnn/tables.h"
#include "kernels/support.h"

namespace penult::kernels::cudnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool is_relu(const Activation& activation) { return activation == Activation::clamp(0, kInfinity); }

std::string convolution_declines(const Problem& problem) {
  if (conv2d_has_scale(problem)) return "no factors for src's channels";
  const Conv2dGeometry g = conv2d_geometry(problem);
  const bool is_depthwise = g.groups == g.ic && g.groups == g.oc;
  if (g.groups > 1 && !is_depthwise) return "groups of channels would need padding of their own";
  const Activation& activation = problem.epilogue.activation;
  if (activation.kind == Activation::Kind::kNone) return {};
  const bool is_clip = activation.kind == Activation::Kind::kClamp && activation.a == 0;
  if (is_clip && activation.b > 0) return {};
  return "activations are none, ReLU and clips of it";
}

std::string product_declines(const Problem& problem) {
  const Activation& activation = problem.epilogue.activation;
  const bool activates = activation.kind != Activation::Kind::kNone;
  if (activates && !is_relu(activation)) return "activations are none and ReLU";
  if (activates && problem.epilogue.residual) return "no activation of a sum with a residual";
  return {};
}

std::string pointwise_declines(const Problem& problem) {
  if (conv2d_has_scale(problem)) return "no factors for src's channels";
  const Conv2dGeometry g = conv2d_geometry(problem);
  const bool is_product = g.kh == 1 && g.kw == 1 && g.sh == 1 && g.sw == 1 && g.groups == 1 &&
                          g.oh == g.ih && g.ow == g.iw && g.ph == 0 && g.pw == 0;
  if (!is_product) return "not one tap with stride 1";
  return product_declines(problem);
}

using Prepare = Result<std::unique_ptr<PreparedKernel>> (*)(const PrepareArgs&, Precision);

template <Precision kPrecision, std::string (*kDeclines)(const Problem&), Prepare kPrepare>
constexpr Kernel row(const char* name) {
  return {.name = name,
          .backend = Backend::kCudnn,
          .isa = Isa::kScalar,
          .precision = kPrecision,
          .declines = kDeclines,
          .prepare = [](const PrepareArgs& args) { return kPrepare(args, kPrecision); }};
}

constexpr auto kF16 = Precision::kF16, kF32 = Precision::kF32;

constexpr Kernel kConv2dKernels[] = {
    row<kF16, pointwise_declines, prepare_matmul>("conv2d_matmul_f16_cudnn"),
    row<kF16, convolution_declines, prepare_convolution>("conv2d_graph_f16_cudnn"),
    row<kF32, pointwise_declines, prepare_matmul>("conv2d_matmul_f32_cudnn"),
    row<kF32, convolution_declines, prepare_convolution>("conv2d_graph_f32_cudnn"),
};

constexpr Kernel kLinearKernels[] = {
    row<kF16, product_declines, prepare_matmul>("linear_matmul_f16_cudnn"),
    row<kF32, product_declines, prepare_matmul>("linear_matmul_f32_cudnn"),
};

constexpr std::array kTables = {Table{"conv2d", kConv2dKernels}, Table{"linear", kLinearKernels}};

}  // namespace

std::span<const Table> cudnn_tables() { return kTables; }

Status check_libraries() {
  PENULT_RETURN_IF_ERROR(load_cudnn().status());
  return load_cublaslt().status();
}

}  // namespace penult::kernels::cudnn
