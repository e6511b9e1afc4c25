#include "engine/base/check.h"
#include "engine/base/text.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/runtime.h"

namespace penult::kernels::cuda {

namespace rt = gpu::rt;

Status to_status(gpu::Error error, const char* what) {
  if (error == 0) return {};
  const auto code = rt::is_out_of_memory(error) ? StatusCode::kOutOfMemory : StatusCode::kDevice;
  return {code, concat("device: ", what, ": ", rt::error_text(error))};
}

Result<DeviceScope> enter_device(int index) {
  constexpr const char* kWhat = "choosing the device";
  rt::Context before = nullptr;
  PENULT_RETURN_IF_ERROR(to_status(rt::get_context(&before), kWhat));
  DeviceScope scope(before, [](void* context) { rt::set_context(context); });
  PENULT_RETURN_IF_ERROR(to_status(rt::use_device(index), kWhat));
  return scope;
}

}  // namespace penult::kernels::cuda
