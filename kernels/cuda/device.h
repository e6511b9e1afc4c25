#pragma once

#include <memory>

#include "kernels/cuda/gpu_types.h"
#include "kernels/device.h"

namespace penult::kernels::cuda {

// Device `index` of this module's runtime. Device, with the reason and what to do: no driver, no
// device, no such device, one that is too old.
Result<std::unique_ptr<Device>> open_device(int index);

// Device or OutOfMemory, with the runtime's words; `what` was tried.
Status to_status(gpu::Error error, const char* what);

// Device::enter() by number.
Result<DeviceScope> enter_device(int index);

// Oldest compute capability that the kernels are compiled for: mma.m16n8k16 and cp.async.
inline constexpr int kLeastMajor = 8;

}  // namespace penult::kernels::cuda
