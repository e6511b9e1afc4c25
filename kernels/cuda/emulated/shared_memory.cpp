#include "kernels/cuda/emulated/shared_memory.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels/cuda/emulated/fibers.h"

#if defined(PENULT_FIBERS_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace penult::gpu::emulated {
namespace {

const char kDynamic = 0;  // its address is the key of the array of launch()

void forbid([[maybe_unused]] void* p, [[maybe_unused]] size_t bytes) {
#if defined(PENULT_FIBERS_ASAN)
  __asan_poison_memory_region(p, bytes);
#endif
}

void allow([[maybe_unused]] void* p, [[maybe_unused]] size_t bytes) {
#if defined(PENULT_FIBERS_ASAN)
  __asan_unpoison_memory_region(p, bytes);
#endif
}

}  // namespace

static_assert(SharedMemory::kMaxBytes + 64 * 2 * 128 < 256 * 1024, "arrays and zones in the arena");

SharedMemory::SharedMemory()
    : data_(static_cast<unsigned char*>(std::aligned_alloc(kZone, kArenaBytes))) {
  if (data_ == nullptr) throw std::bad_alloc();
  arrays_.reserve(kMaxArrays);
}

SharedMemory::~SharedMemory() {
  allow(data_, kArenaBytes);
  std::free(data_);
}

void SharedMemory::begin_launch(size_t dynamic_bytes, bool checked) {
  arrays_.clear();
  used_ = kZone;
  static_bytes_ = 0;
  dynamic_bytes_ = dynamic_bytes;
  checked_ = checked;
  if (checked && region_ == nullptr) region_ = std::make_unique<Region>(data_, kArenaBytes, true);
  if (checked) region_->exclude_all();
  forbid(data_, kArenaBytes);
}

void SharedMemory::begin_block() {
  for (const Array& array : arrays_) clear(array);
}

void SharedMemory::clear(const Array& array) {
  std::memset(data_ + array.offset, 0xff, array.bytes);
  if (checked_) region_->enclose(array.offset, array.bytes);
}

unsigned char* SharedMemory::array(const void* site, size_t bytes) {
  for (const Array& array : arrays_) {
    if (array.site == site) return data_ + array.offset;
  }
  const size_t total = static_bytes_ + bytes;
  if (total > kMaxStaticBytes || total + dynamic_bytes_ > kMaxBytes) return nullptr;
  static_bytes_ = total;
  return add(site, bytes);
}

unsigned char* SharedMemory::dynamic() {
  for (const Array& array : arrays_) {
    if (array.site == &kDynamic) return data_ + array.offset;
  }
  return add(&kDynamic, dynamic_bytes_);
}

unsigned char* SharedMemory::add(const void* site, size_t bytes) {
  if (arrays_.size() == kMaxArrays) return nullptr;
  const Array array = {site, used_, bytes};
  used_ += (bytes + kZone - 1) / kZone * kZone + kZone;
  arrays_.push_back(array);
  allow(data_ + array.offset, array.bytes);
  clear(array);
  return data_ + array.offset;
}

}  // namespace penult::gpu::emulated
