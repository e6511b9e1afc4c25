#pragma once

#include <cstddef>

namespace penult::testing {

// Zeroed memory between two pages that may not be touched: an access right before the first or
// right after the last byte is a crash. Sizes are rounded up to 64 bytes, as buffers of the engine.
class GuardedBuffer {
 public:
  enum class Flush { kStart, kEnd };  // which end lies at its guard page

  GuardedBuffer(size_t bytes, Flush flush);
  ~GuardedBuffer();
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  std::byte* data() { return data_; }
  float* floats() { return reinterpret_cast<float*>(data_); }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* mapping_ = nullptr;
  size_t mapped_bytes_ = 0;
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace penult::testing
