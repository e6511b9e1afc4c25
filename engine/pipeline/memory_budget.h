#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace penult {

// Memory that workers take shares of while they hold large things. Who asks for more than
// is free waits; who asks for more than there is gets it once nobody else holds any.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t bytes) : bytes_(bytes) {}

  void take(uint64_t bytes) {
    std::unique_lock lock(mutex_);
    freed_.wait(lock,
                [&] { return taken_ == 0 || (taken_ <= bytes_ && bytes <= bytes_ - taken_); });
    taken_ += bytes;
  }

  void give_back(uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    taken_ -= bytes;
    freed_.notify_all();
  }

 private:
  const uint64_t bytes_;
  std::mutex mutex_;
  std::condition_variable freed_;
  uint64_t taken_ = 0;
};

// What one worker holds of a budget at a time. To take twice is to take the larger of the two: to
// wait for more while holding some would be to wait for oneself.
class MemoryShare {
 public:
  explicit MemoryShare(MemoryBudget& budget) : budget_(budget) {}
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;
  ~MemoryShare() { give_back(); }

  void take(uint64_t bytes) {
    if (bytes <= bytes_) return;
    give_back();
    budget_.take(bytes);
    bytes_ = bytes;
  }
  void give_back() {
    if (bytes_ > 0) budget_.give_back(bytes_);
    bytes_ = 0;
  }

 private:
  MemoryBudget& budget_;
  uint64_t bytes_ = 0;
};

}  // namespace penult
