#pragma once

// One pass over a map, shared by the operators that compute each element from the same element of
// their inputs. Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

#include "engine/base/activation.h"

namespace penult::kernels {

// A source or destination, strides in floats; null: not used.
template <class Float>
struct PointwiseMap {
  Float* data;
  int64_t image_stride, row_stride, pixel_stride;
};

struct PointwiseParams {
  int64_t h, w;
  int64_t c;                         // rounded up to kChannelPad
  int64_t row_begin, row_end;        // rows count through all images: image * h + y
  PointwiseMap<const float> src[2];  // with one input: twice the same
  PointwiseMap<const float> residual;
  PointwiseMap<float> dst;
  const float* scale;   // [c], batchnorm only
  const float* shift;   // [c], batchnorm only
  Activation function;  // the activation operators only
  Activation activation;
};

void activation_f32_scalar(const PointwiseParams& params);
void activation_f32_portable16(const PointwiseParams& params);
void activation_f32_avx2(const PointwiseParams& params);
void activation_f32_avx512(const PointwiseParams& params);
void add_f32_scalar(const PointwiseParams& params);
void add_f32_portable16(const PointwiseParams& params);
void add_f32_avx2(const PointwiseParams& params);
void add_f32_avx512(const PointwiseParams& params);
void mul_f32_scalar(const PointwiseParams& params);
void mul_f32_portable16(const PointwiseParams& params);
void mul_f32_avx2(const PointwiseParams& params);
void mul_f32_avx512(const PointwiseParams& params);
void batchnorm_f32_scalar(const PointwiseParams& params);
void batchnorm_f32_portable16(const PointwiseParams& params);
void batchnorm_f32_avx2(const PointwiseParams& params);
void batchnorm_f32_avx512(const PointwiseParams& params);

}  // namespace penult::kernels
