// gpu::rt over the CUDA runtime.

#include <cudaTypedefs.h>
#include <cuda_runtime.h>

#include "engine/base/text.h"
#include "kernels/cuda/runtime.h"

namespace penult::gpu::rt {
namespace {

cudaStream_t of(Stream stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t event_of(Event event) { return static_cast<cudaEvent_t>(event); }

// A function that the driver has since version `since` of CUDA, 4000 for 4.0: nothing links to it.
template <class Function>
Error find_in_driver(const char* name, unsigned since, Function* function) {
  void* found = nullptr;
  auto result = cudaDriverEntryPointSymbolNotFound;
  const cudaError_t error =
      cudaGetDriverEntryPointByVersion(name, &found, since, cudaEnableDefault, &result);
  if (error != cudaSuccess) return error;
  if (result != cudaDriverEntryPointSuccess) return cudaErrorSymbolNotFound;
  *function = reinterpret_cast<Function>(found);
  return 0;
}

}  // namespace

Error device_count(int* count) {
  const cudaError_t error = cudaGetDeviceCount(count);
  if (error != cudaErrorNoDevice) return error;
  *count = 0;
  return 0;
}

Error device_info(int index, DeviceInfo* info) {
  cudaDeviceProp properties;
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, index); error != cudaSuccess)
    return error;
  *info = {.name = concat(properties.name, " (sm_", properties.major, properties.minor, ")"),
           .major = properties.major,
           .minor = properties.minor};
  return 0;
}

// Of the driver, for the runtime cannot tell a thread that has no device from one that has the
// first: to go "back" to that would take memory of a GPU that nobody asked for. The driver's errors
// have the runtime's numbers.
Error get_context(Context* context) {
  PFN_cuCtxGetCurrent_v4000 get = nullptr;
  *context = nullptr;
  if (const Error error = find_in_driver("cuCtxGetCurrent", 4000, &get)) return error;
  CUcontext current = nullptr;
  const CUresult error = get(&current);
  if (error == CUDA_ERROR_NOT_INITIALIZED) return 0;  // nobody has used the driver
  *context = current;
  return error;
}

Error set_context(Context context) {
  PFN_cuCtxSetCurrent_v4000 set = nullptr;
  if (const Error error = find_in_driver("cuCtxSetCurrent", 4000, &set)) return error;
  return set(static_cast<CUcontext>(context));
}

Error use_device(int index) { return cudaSetDevice(index); }

Error allocate(void** p, size_t bytes) { return cudaMalloc(p, bytes); }
void release(void* p) { cudaFree(p); }
Error allocate_pinned(void** p, size_t bytes) { return cudaMallocHost(p, bytes); }
void release_pinned(void* p) { cudaFreeHost(p); }

// Streams that do not wait for the default one, which other code of a process may use.
Error create_stream(Stream* stream) {
  return cudaStreamCreateWithFlags(reinterpret_cast<cudaStream_t*>(stream), cudaStreamNonBlocking);
}
void destroy_stream(Stream stream) { cudaStreamDestroy(of(stream)); }
Error copy_async(void* dst, const void* src, size_t bytes, Stream stream) {
  return cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDefault, of(stream));
}
Error synchronize(Stream stream) { return cudaStreamSynchronize(of(stream)); }

Error create_event(Event* event) { return cudaEventCreate(reinterpret_cast<cudaEvent_t*>(event)); }
void destroy_event(Event event) { cudaEventDestroy(event_of(event)); }
Error record(Event event, Stream stream) { return cudaEventRecord(event_of(event), of(stream)); }
Error milliseconds_between(float* ms, Event begin, Event end) {
  return cudaEventElapsedTime(ms, event_of(begin), event_of(end));
}

// Of this thread alone: another one may allocate meanwhile.
Error begin_capture(Stream stream) {
  return cudaStreamBeginCapture(of(stream), cudaStreamCaptureModeThreadLocal);
}

Error end_capture(Stream stream, Graph* graph) {
  cudaGraph_t captured = nullptr;
  if (const cudaError_t error = cudaStreamEndCapture(of(stream), &captured); error != cudaSuccess)
    return error;
  cudaGraphExec_t ready = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&ready, captured, 0);
  cudaGraphDestroy(captured);
  *graph = ready;
  return error;
}

Error launch(Graph graph, Stream stream) {
  return cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), of(stream));
}
void destroy_graph(Graph graph) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

std::string error_text(Error error) {
  return concat(cudaGetErrorString(static_cast<cudaError_t>(error)), " (", error, ")");
}
bool is_out_of_memory(Error error) { return error == cudaErrorMemoryAllocation; }

}  // namespace penult::gpu::rt
