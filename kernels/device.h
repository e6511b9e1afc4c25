#pragma once

// A device with memory of its own that does work in the order in which it is given: what a backend
// module brings whose kernels run there. A Device serves many threads at a time; a stream, its
// graphs and the work given to it one. Errors: Device with the driver's words, OutOfMemory.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "engine/base/shape.h"
#include "penult/status.h"

namespace penult::kernels {

enum class DeviceKind { kCpu, kCuda, kEmulated };
const char* device_kind_name(DeviceKind kind);  // "cpu", "cuda", "emulated"

// What the numbers of maps and vectors are, between kernels.
enum class Precision { kF32, kF16 };
const char* precision_name(Precision precision);  // "f32", "f16"
constexpr int64_t bytes_of(Precision precision) { return precision == Precision::kF32 ? 4 : 2; }

// While it lives, a device is the calling thread's own, and then again what was before: the thread
// may be a host application's, which computes on another one. Of that thread, and ends there.
class DeviceScope {
 public:
  using Leave = void (*)(void* before);
  DeviceScope() = default;  // changes nothing
  DeviceScope(void* before, Leave leave) : before_(before), leave_(leave) {}
  DeviceScope(DeviceScope&& other) noexcept
      : before_(other.before_), leave_(std::exchange(other.leave_, nullptr)) {}
  DeviceScope& operator=(DeviceScope&&) = delete;
  ~DeviceScope() {
    if (leave_ != nullptr) leave_(before_);
  }

 private:
  void* before_ = nullptr;
  Leave leave_ = nullptr;
};

// Owned memory of device `index`, or of the host where the device copies to and from (pinned).
// Aligned to 256 bytes.
class DeviceMemory {
 public:
  using Free = void (*)(std::byte* data, int index);
  DeviceMemory() = default;
  DeviceMemory(std::byte* data, size_t bytes, int index, Free free)
      : data_(data, Owner{index, free}), bytes_(bytes) {}
  // Null if there are no bytes. Memory of a device may only be touched by its kernels and streams.
  std::byte* data() const { return data_.get(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Owner {
    int index;
    Free free;
    void operator()(std::byte* data) const { free(data, index); }
  };
  std::unique_ptr<std::byte, Owner> data_{nullptr, Owner{0, nullptr}};
  size_t bytes_ = 0;
};

// Work that was recorded, to be done again with the same addresses.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
};

// Work is given by threads that have entered the device.
class DeviceStream {
 public:
  virtual ~DeviceStream() = default;
  // Between device and host, in either direction, and within the device. Done once the stream comes
  // to it: the host's side stays untouched until synchronize().
  virtual Status copy(std::byte* dst, const std::byte* src, size_t bytes) = 0;
  virtual Status synchronize() = 0;
  // What is given to the stream from here on is recorded and not done.
  virtual Status begin_recording() = 0;
  virtual Result<std::unique_ptr<DeviceGraph>> end_recording() = 0;
  virtual Status launch(DeviceGraph& graph) = 0;
  // cudaStream_t on CUDA; for this module's own kernels.
  virtual void* handle() = 0;
};

// A map on a device: element (image, y, x, c) lies (image*h*w + y*w + x) * pixel_stride + c behind
// the first one.
struct DeviceMap {
  Shape shape;
  int64_t pixel_stride;
  Precision precision;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;  // "NVIDIA A100-SXM4-40GB (sm_80)", "emulated"
  virtual Result<DeviceScope> enter() = 0;
  virtual Result<DeviceMemory> allocate(size_t bytes) = 0;
  virtual Result<DeviceMemory> allocate_pinned(size_t bytes) = 0;
  virtual Result<std::unique_ptr<DeviceStream>> create_stream() = 0;

  // The two ends of a network, given to the stream. All addresses are the device's.
  // planar (n, c, h, w) -> dst, zeros in the padding of pixels.
  virtual Status import_planar(DeviceStream& stream, const DeviceMap& map, int64_t n,
                               const float* planar, void* dst) = 0;
  // rgb8 (n, h, w, 3) -> dst: values[c * 256 + byte] of byte source[c] of each pixel for channel c.
  virtual Status import_rgb8(DeviceStream& stream, const DeviceMap& map, int64_t n,
                             const uint8_t* rgb8, const float* values, const int (&source)[3],
                             void* dst) = 0;
  // src -> (n, h, w, pixel_stride) floats.
  virtual Status export_f32(DeviceStream& stream, const DeviceMap& map, int64_t n, const void* src,
                            float* dst) = 0;
};

}  // namespace penult::kernels
