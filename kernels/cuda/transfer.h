#pragma once

// Launch functions for the two ends of a network: contracts in kernels/device.h
// (Device::import_...).

#include <cstdint>

#include "kernels/cuda/gpu_types.h"
#include "kernels/device.h"

namespace penult::kernels::cuda {

gpu::Error import_planar(const DeviceMap& map, int64_t n, const float* planar, void* dst,
                         gpu::Stream stream);
gpu::Error import_rgb8(const DeviceMap& map, int64_t n, const uint8_t* rgb8, const float* values,
                       const int (&source)[3], void* dst, gpu::Stream stream);
gpu::Error export_f32(const DeviceMap& map, int64_t n, const void* src, float* dst,
                      gpu::Stream stream);

}  // namespace penult::kernels::cuda
