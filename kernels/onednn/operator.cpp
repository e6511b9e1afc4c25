#include "kernels/onednn/operator.h"

#include <limits>
#include <string_view>

#include "engine/base/text.h"
#include "kernels/support.h"

namespace penult::kernels::onednn {
namespace {

using Format = dnnl::memory::format_tag;
constexpr auto kF32 = dnnl::memory::data_type::f32;

std::string declines_activation(const Activation& activation) {
  using Kind = Activation::Kind;
  const Kind kind = activation.kind;
  if (kind == Kind::kNone || kind == Kind::kClamp || kind == Kind::kLeakyRelu) return {};
  return "no post-op for this activation";
}

void append_activation(dnnl::post_ops& ops, const Activation& activation) {
  const bool is_relu = activation == Activation::clamp(0, std::numeric_limits<float>::infinity());
  if (is_relu) return append_eltwise(ops, dnnl::algorithm::eltwise_relu, 0, 0);
  if (activation.kind == Activation::Kind::kLeakyRelu) {
    return append_eltwise(ops, dnnl::algorithm::eltwise_relu, activation.a, 0);
  }
  if (activation.kind != Activation::Kind::kClamp) return;
  append_eltwise(ops, dnnl::algorithm::eltwise_clip, activation.a, activation.b);
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

int64_t padded_channels(int64_t c) { return round_up(c, kChannelPad); }

MemoryDesc map_desc(int64_t n, int64_t c, const Shape& shape) {
  return {{n, c, shape.h, shape.w}, kF32, Format::nhwc};
}

MemoryDesc vector_desc(int64_t n, int64_t c) { return {{n, c}, kF32, Format::nc}; }

MemoryDesc weights_desc(const Dims& dims) { return {dims, kF32, Format::any}; }

MemoryDesc bias_desc(int64_t c) { return {{c}, kF32, Format::x}; }

dnnl::primitive_attr attributes(const Problem& problem, const MemoryDesc& dst) {
  dnnl::post_ops ops;
  if (problem.epilogue.residual) ops.append_binary(dnnl::algorithm::binary_add, dst);
  append_activation(ops, problem.epilogue.activation);
  dnnl::primitive_attr attr;
  attr.set_post_ops(ops);
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  // Not left to the environment, which may allow bf16 (ONEDNN_DEFAULT_FPMATH_MODE).
  attr.set_fpmath_mode(dnnl::fpmath_mode::strict);
  return attr;
}

std::string declines_described(const Problem& problem, Describe describe) {
  std::string reason = declines_activation(problem.epilogue.activation);
  if (!reason.empty()) return reason;
  try {
    const std::string_view implementation = describe(problem, 1).impl_info_str();
    if (!implementation.starts_with("ref")) return {};
    return concat("oneDNN has only its reference for it (", implementation, ")");
  } catch (const dnnl::error& e) {
    return concat("oneDNN: ", e.what());
  }
}

}  // namespace penult::kernels::onednn
