#pragma once

// The shared memory of the block that runs: arrays in the order in which they are first asked for,
// with red zones between them, full of NaN for each block.

#include <cstddef>
#include <memory>
#include <vector>

#include "kernels/cuda/emulated/checker.h"

namespace penult::gpu::emulated {

class SharedMemory {
 public:
  static constexpr size_t kMaxBytes = 227 * 1024;       // of a block, on sm_90
  static constexpr size_t kMaxStaticBytes = 48 * 1024;  // of them with a fixed size, as nvcc has it

  SharedMemory();  // throws std::bad_alloc
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // With a shadow if checked; throws std::bad_alloc.
  void begin_launch(size_t dynamic_bytes, bool checked);
  void begin_block();
  // Null: more than a block may have.
  unsigned char* array(const void* site, size_t bytes);
  unsigned char* dynamic();
  bool contains(const void* p) const {
    return static_cast<size_t>(static_cast<const unsigned char*>(p) - data_) < kArenaBytes;
  }
  Region* region() { return region_.get(); }

 private:
  static constexpr size_t kArenaBytes = 256 * 1024, kZone = 128, kMaxArrays = 64;
  struct Array {
    const void* site;
    size_t offset, bytes;
  };
  unsigned char* add(const void* site, size_t bytes);
  void clear(const Array& array);

  unsigned char* data_;
  std::vector<Array> arrays_;  // the same for all blocks of a launch
  size_t used_ = 0, static_bytes_ = 0, dynamic_bytes_ = 0;
  bool checked_ = false;
  std::unique_ptr<Region> region_;
};

}  // namespace penult::gpu::emulated
