#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

#include "penult/status.h"

namespace penult {

// Owned, 64-byte aligned, uninitialised memory. A failed allocation is a Status, not an exception.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  static Result<AlignedBuffer> allocate(size_t bytes) {
    AlignedBuffer buffer;
    const size_t rounded = (bytes + kAlignment - 1) & ~(kAlignment - 1);
    if (rounded < bytes) return Status(StatusCode::kOutOfMemory, "buffer size overflows");
    if (rounded != 0) {
      buffer.data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)));
      if (!buffer.data_) {
        return Status(StatusCode::kOutOfMemory,
                      "cannot allocate " + std::to_string(rounded) + " bytes");
      }
    }
    buffer.bytes_ = bytes;
    return buffer;
  }

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  float* floats() { return reinterpret_cast<float*>(data_.get()); }
  const float* floats() const { return reinterpret_cast<const float*>(data_.get()); }
  size_t bytes() const { return bytes_; }

  static constexpr size_t kAlignment = 64;

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t bytes_ = 0;
};

}  // namespace penult
