#pragma once

// What rows and kernels of conv2d on a device share. Contract of the operator: conv2d_geometry.h.
// Plain data: read by nvcc, too.

#include "engine/base/activation.h"
#include "kernels/cuda/gpu_types.h"

namespace penult::kernels {
struct Table;
}

namespace penult::kernels::cuda {

extern const Table kConv2dCudaTable;

// T: float or gpu::Half. Maps are nhwc with as many channels as a pixel has, padding included:
// `ic` and `oc` are multiples of 8. No map and no weights may have more than kConv2dMaxElems
// elements: kernels count in int, also a tile of pixels beyond the last one.
inline constexpr int kConv2dMaxElems = 1 << 30;
inline constexpr int kStemIc = 3;
inline constexpr int kStemMaxTaps = 64;  // 48 KB of shared memory for 64 channels

template <class T>
struct Conv2dParams {
  const T* src;       // (n, ih, iw, ic)
  const T* weights;   // (oc, kh, kw, ic); of the direct kernels (oc, kh, kw, weights_ic)
  const float* bias;  // (oc)
  const T* residual;  // (n, oh, ow, oc), or null
  T* dst;             // (n, oh, ow, oc)
  int n, ih, iw, ic, oh, ow, oc;
  int kh, kw, sh, sw, ph, pw, dh, dw;
  int used_oc;  // without padding
  // For the direct kernels: channels of a group, and of a pixel of the weights.
  int group_ic, group_oc, weights_ic;
  Activation activation;
};

// Tensor cores: f16 products, summed in f32 from 0 in steps of 16 along (kh, kw, ic); then the
// bias, the residual, the activation and one rounding to f16. Tiles differ in none of it.
gpu::Error conv2d_igemm_f16(const Conv2dParams<gpu::Half>& params, gpu::Stream stream);
// From the bias on, a fused multiply-add for each (kh, kw, ic) in that order.
gpu::Error conv2d_igemm_f32(const Conv2dParams<float>& params, gpu::Stream stream);
// The same without the products of padding, for kStemIc channels, one group and no dilation; at
// most kStemMaxTaps weights for a channel of src.
gpu::Error conv2d_stem_f16(const Conv2dParams<gpu::Half>& params, gpu::Stream stream);
gpu::Error conv2d_stem_f32(const Conv2dParams<float>& params, gpu::Stream stream);
// The same for any groups, without taps outside of the map; a thread for each element of dst.
gpu::Error conv2d_direct_f16(const Conv2dParams<gpu::Half>& params, gpu::Stream stream);
gpu::Error conv2d_direct_f32(const Conv2dParams<float>& params, gpu::Stream stream);

}  // namespace penult::kernels::cuda
