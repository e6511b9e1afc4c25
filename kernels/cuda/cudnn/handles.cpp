#include "kernels/cuda/cudnn/handles.h"

#include <cuda_runtime_api.h>

#include <map>
#include <mutex>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "kernels/cuda/device.h"

namespace penult::kernels::cudnn {
namespace {

// Handles that are alive, by what they were made for.
template <class Key, class Context>
class SharedHandles {
 public:
  template <class Make>
  Result<std::shared_ptr<Context>> get(const Key& key, const Make& make) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<Context>& known = handles_[key];
    if (std::shared_ptr<Context> alive = known.lock()) return alive;
    Result<std::shared_ptr<Context>> made = make();
    if (made.ok()) known = *made;
    return made;
  }

 private:
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<Context>> handles_;
};

Result<int> current_device() {
  int device = 0;
  const cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) return device;
  return Status(StatusCode::kDevice, concat("backend cudnn: no device: ", cudaGetErrorString(error),
                                            " (", static_cast<int>(error), ")"));
}

// The last owner's thread may compute on another device.
template <class Context, class Destroy>
std::shared_ptr<Context> own(Context* handle, Destroy destroy, int device) {
  return std::shared_ptr<Context>(handle, [destroy, device](Context* context) {
    const auto scope = cuda::enter_device(device);
    destroy(context);
  });
}

Result<CudnnHandle> make_cudnn(const Cudnn& cudnn, gpu::Stream stream, int device) {
  cudnnHandle_t handle = nullptr;
  PENULT_RETURN_IF_ERROR(status_of(cudnn, cudnn.create(&handle), "create a handle"));
  CudnnHandle owned = own(handle, cudnn.destroy, device);
  PENULT_RETURN_IF_ERROR(status_of(
      cudnn, cudnn.set_stream(handle, static_cast<cudaStream_t>(stream)), "set the stream"));
  return owned;
}

}  // namespace

Result<CudnnHandle> cudnn_handle(const Cudnn& cudnn, gpu::Stream stream) {
  static SharedHandles<std::pair<int, gpu::Stream>, cudnnContext> handles;
  PENULT_ASSIGN_OR_RETURN(const int device, current_device());
  return handles.get({device, stream}, [&] { return make_cudnn(cudnn, stream, device); });
}

Result<CublasLtHandle> cublaslt_handle(const CublasLt& cublaslt) {
  static SharedHandles<int, cublasLtContext> handles;
  PENULT_ASSIGN_OR_RETURN(const int device, current_device());
  return handles.get(device, [&]() -> Result<CublasLtHandle> {
    cublasLtHandle_t handle = nullptr;
    PENULT_RETURN_IF_ERROR(status_of(cublaslt, cublaslt.create(&handle), "create a handle"));
    return own(handle, cublaslt.destroy, device);
  });
}

}  // namespace penult::kernels::cudnn
