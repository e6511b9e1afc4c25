// kernels::Device over gpu::rt: the same for CUDA and for the emulator.

#include "kernels/cuda/device.h"

#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "kernels/cuda/runtime.h"
#include "kernels/cuda/transfer.h"

namespace penult::kernels::cuda {
namespace {

namespace rt = gpu::rt;

// Destructors enter their device, too: a runtime that frees something makes a device the thread's
// own that has none.
class GpuGraph : public DeviceGraph {
 public:
  GpuGraph(int device, rt::Graph graph) : device_(device), graph_(graph) {}
  ~GpuGraph() override {
    const auto scope = enter_device(device_);
    rt::destroy_graph(graph_);
  }
  GpuGraph(const GpuGraph&) = delete;
  GpuGraph& operator=(const GpuGraph&) = delete;
  rt::Graph get() const { return graph_; }

 private:
  int device_;
  rt::Graph graph_;
};

class GpuStream : public DeviceStream {
 public:
  GpuStream(int device, gpu::Stream stream) : device_(device), stream_(stream) {}
  ~GpuStream() override {
    const auto scope = enter_device(device_);
    rt::destroy_stream(stream_);
  }
  GpuStream(const GpuStream&) = delete;
  GpuStream& operator=(const GpuStream&) = delete;

  Status copy(std::byte* dst, const std::byte* src, size_t bytes) override {
    return to_status(rt::copy_async(dst, src, bytes, stream_), "copying");
  }
  Status synchronize() override { return to_status(rt::synchronize(stream_), "computing"); }
  Status begin_recording() override {
    return to_status(rt::begin_capture(stream_), "recording a graph");
  }
  Result<std::unique_ptr<DeviceGraph>> end_recording() override {
    rt::Graph graph = nullptr;
    PENULT_RETURN_IF_ERROR(to_status(rt::end_capture(stream_, &graph), "recording a graph"));
    return std::unique_ptr<DeviceGraph>(new GpuGraph(device_, graph));
  }
  Status launch(DeviceGraph& graph) override {
    return to_status(rt::launch(static_cast<GpuGraph&>(graph).get(), stream_), "starting a graph");
  }
  void* handle() override { return stream_; }

 private:
  int device_;
  gpu::Stream stream_;
};

class GpuDevice : public Device {
 public:
  GpuDevice(int index, std::string name) : index_(index), name_(std::move(name)) {}

  std::string name() const override { return name_; }
  Result<DeviceScope> enter() override { return enter_device(index_); }

  Result<DeviceMemory> allocate(size_t bytes) override {
    return allocate(bytes, rt::allocate, free_on<rt::release>, "on the device");
  }
  Result<DeviceMemory> allocate_pinned(size_t bytes) override {
    return allocate(bytes, rt::allocate_pinned, free_on<rt::release_pinned>,
                    "that the device copies from");
  }
  Result<std::unique_ptr<DeviceStream>> create_stream() override {
    PENULT_ASSIGN_OR_RETURN(const auto scope, enter());
    gpu::Stream stream = nullptr;
    PENULT_RETURN_IF_ERROR(to_status(rt::create_stream(&stream), "making a stream"));
    return std::unique_ptr<DeviceStream>(new GpuStream(index_, stream));
  }

  Status import_planar(DeviceStream& stream, const DeviceMap& map, int64_t n, const float* planar,
                       void* dst) override {
    return to_status(cuda::import_planar(map, n, planar, dst, stream.handle()),
                     "starting import_planar");
  }
  Status import_rgb8(DeviceStream& stream, const DeviceMap& map, int64_t n, const uint8_t* rgb8,
                     const float* values, const int (&source)[3], void* dst) override {
    return to_status(cuda::import_rgb8(map, n, rgb8, values, source, dst, stream.handle()),
                     "starting import_rgb8");
  }
  Status export_f32(DeviceStream& stream, const DeviceMap& map, int64_t n, const void* src,
                    float* dst) override {
    return to_status(cuda::export_f32(map, n, src, dst, stream.handle()), "starting export_f32");
  }

 private:
  template <void (*kRelease)(void*)>
  static void free_on(std::byte* data, int index) {
    const auto scope = enter_device(index);
    kRelease(data);
  }

  Result<DeviceMemory> allocate(size_t bytes, gpu::Error (*take)(void**, size_t),
                                DeviceMemory::Free give, const char* where) {
    if (bytes == 0) return DeviceMemory();
    PENULT_ASSIGN_OR_RETURN(const auto scope, enter());
    void* p = nullptr;
    PENULT_RETURN_IF_ERROR(
        to_status(take(&p, bytes), concat("allocating ", bytes, " bytes ", where).c_str()));
    return DeviceMemory(static_cast<std::byte*>(p), bytes, index_, give);
  }

  int index_;
  std::string name_;
};

Status no_device(const std::string& why) {
  return {StatusCode::kDevice, concat("device cuda: ", why)};
}

}  // namespace

Result<std::unique_ptr<Device>> open_device(int index) {
  int count = 0;
  if (const gpu::Error error = rt::device_count(&count); error != 0)
    return no_device(
        concat(rt::error_text(error),
               "; install an NVIDIA driver that knows this CUDA, or use --device cpu"));
  if (count == 0) return no_device("this machine has no NVIDIA GPU; use --device cpu");
  if (index < 0 || index >= count)
    return no_device(concat("there is no device ", index, ", expected 0 to ", count - 1));
  rt::DeviceInfo info;
  PENULT_RETURN_IF_ERROR(to_status(rt::device_info(index, &info), "asking for the device"));
  if (info.major < kLeastMajor)
    return no_device(concat(info.name, " has compute capability ", info.major, ".", info.minor,
                            ", expected ", kLeastMajor, ".0 or newer; use --device cpu"));
  PENULT_RETURN_IF_ERROR(enter_device(index).status());  // so that a broken one says so here
  return std::unique_ptr<Device>(new GpuDevice(index, info.name));
}

}  // namespace penult::kernels::cuda
