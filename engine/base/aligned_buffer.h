#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "penult/status.h"

namespace penult {

// Owned, 64-byte aligned, uninitialised memory. A failed allocation is a Status, not an exception.
// Large buffers come from the system and go back to it at once (an allocator would keep what was
// freed, and it would count as used), and ask for huge pages.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  static Result<AlignedBuffer> allocate(size_t bytes);

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  float* floats() { return reinterpret_cast<float*>(data_.get()); }
  const float* floats() const { return reinterpret_cast<const float*>(data_.get()); }
  size_t bytes() const { return bytes_; }

  static constexpr size_t kAlignment = 64;

 private:
  struct Free {
    size_t mapped_bytes;  // 0: from the allocator
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t bytes_ = 0;
};

}  // namespace penult
