#pragma once

// The one place that includes oneDNN, and the one that asks for its version: what 2.x (operation
// descriptors) and 3.x (none) spell differently. Everything here may throw dnnl::error.

#include <oneapi/dnnl/dnnl_version.h>

#include <oneapi/dnnl/dnnl.hpp>

namespace penult::kernels::onednn {

using Dims = dnnl::memory::dims;
using MemoryDesc = dnnl::memory::desc;

struct Window {
  Dims kernel, strides, dilations;  // dilations count the gaps: 0 is none
  Dims before, after;               // padding: top and left, bottom and right
};

// What an operator works on; weights and bias are empty for pooling.
struct Operands {
  MemoryDesc src, weights, bias, dst;
};

inline constexpr auto kInference = dnnl::prop_kind::forward_inference;

#if DNNL_VERSION_MAJOR >= 3

inline Dims dims_of(const MemoryDesc& desc) { return desc.get_dims(); }

inline void append_eltwise(dnnl::post_ops& ops, dnnl::algorithm algorithm, float a, float b) {
  ops.append_eltwise(algorithm, a, b);
}

inline dnnl::primitive_desc_base describe_convolution(const dnnl::engine& engine,
                                                      const Operands& operands, const Window& w,
                                                      const dnnl::primitive_attr& attr) {
  return dnnl::convolution_forward::primitive_desc(
      engine, kInference, dnnl::algorithm::convolution_direct, operands.src, operands.weights,
      operands.bias, operands.dst, w.strides, w.dilations, w.before, w.after, attr);
}

inline dnnl::primitive_desc_base describe_inner_product(const dnnl::engine& engine,
                                                        const Operands& operands,
                                                        const dnnl::primitive_attr& attr) {
  return dnnl::inner_product_forward::primitive_desc(
      engine, kInference, operands.src, operands.weights, operands.bias, operands.dst, attr);
}

inline dnnl::primitive_desc_base describe_pooling(const dnnl::engine& engine,
                                                  dnnl::algorithm algorithm,
                                                  const Operands& operands, const Window& w,
                                                  const dnnl::primitive_attr& attr) {
  return dnnl::pooling_forward::primitive_desc(engine, kInference, algorithm, operands.src,
                                               operands.dst, w.strides, w.kernel, w.dilations,
                                               w.before, w.after, attr);
}

#else

inline Dims dims_of(const MemoryDesc& desc) { return desc.dims(); }

inline void append_eltwise(dnnl::post_ops& ops, dnnl::algorithm algorithm, float a, float b) {
  ops.append_eltwise(1.0F, algorithm, a, b);
}

inline dnnl::primitive_desc_base describe_convolution(const dnnl::engine& engine,
                                                      const Operands& operands, const Window& w,
                                                      const dnnl::primitive_attr& attr) {
  const dnnl::convolution_forward::desc operation(
      kInference, dnnl::algorithm::convolution_direct, operands.src, operands.weights,
      operands.bias, operands.dst, w.strides, w.dilations, w.before, w.after);
  return dnnl::convolution_forward::primitive_desc(operation, attr, engine);
}

inline dnnl::primitive_desc_base describe_inner_product(const dnnl::engine& engine,
                                                        const Operands& operands,
                                                        const dnnl::primitive_attr& attr) {
  const dnnl::inner_product_forward::desc operation(kInference, operands.src, operands.weights,
                                                    operands.bias, operands.dst);
  return dnnl::inner_product_forward::primitive_desc(operation, attr, engine);
}

inline dnnl::primitive_desc_base describe_pooling(const dnnl::engine& engine,
                                                  dnnl::algorithm algorithm,
                                                  const Operands& operands, const Window& w,
                                                  const dnnl::primitive_attr& attr) {
  const dnnl::pooling_v2_forward::desc operation(kInference, algorithm, operands.src, operands.dst,
                                                 w.strides, w.kernel, w.dilations, w.before,
                                                 w.after);
  return dnnl::pooling_v2_forward::primitive_desc(operation, attr, engine);
}

#endif

}  // namespace penult::kernels::onednn
