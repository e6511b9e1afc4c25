#pragma once

// The CUDA runtime as far as it is used, twice: runtime_cuda.cpp over cudart, and
// emulated/runtime_emulated.cpp over the host's memory. device.cpp makes a kernels::Device of
// either.

#include <cstddef>
#include <string>

#include "kernels/cuda/gpu_types.h"

namespace penult::gpu::rt {

using Context = void*;
using Graph = void*;
using Event = void*;

struct DeviceInfo {
  std::string name;
  int major = 0, minor = 0;  // compute capability
};

// Device: no driver, or an error of it. 0 devices is no error.
Error device_count(int* count);
Error device_info(int index, DeviceInfo* info);
// What the calling thread computes on, to go back to; null: nothing yet, and back to that.
Error get_context(Context* context);
Error set_context(Context context);
Error use_device(int index);  // of the calling thread

Error allocate(void** p, size_t bytes);
void release(void* p);
Error allocate_pinned(void** p, size_t bytes);
void release_pinned(void* p);

Error create_stream(Stream* stream);
void destroy_stream(Stream stream);
Error copy_async(void* dst, const void* src, size_t bytes, Stream stream);  // any direction
Error synchronize(Stream stream);

Error create_event(Event* event);
void destroy_event(Event event);
Error record(Event event, Stream stream);
Error milliseconds_between(float* ms, Event begin, Event end);  // both done

Error begin_capture(Stream stream);
Error end_capture(Stream stream, Graph* graph);  // ready to launch
Error launch(Graph graph, Stream stream);
void destroy_graph(Graph graph);

std::string error_text(Error error);  // "no CUDA-capable device is detected (100)"
bool is_out_of_memory(Error error);

}  // namespace penult::gpu::rt
