#pragma once

// What the emulator's tests have in common.

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "kernels/cuda/emulated/device_code.h"
#include "kernels/cuda/emulated/emulator.h"
#include "kernels/cuda/runtime.h"
#include "tests/kernels/cuda/emulator_kernels.h"

namespace penult::testing {

// An array in the device's memory.
template <class T>
class OnDevice {
 public:
  explicit OnDevice(size_t count) : count_(count) {
    void* p = nullptr;
    EXPECT_EQ(gpu::rt::allocate(&p, count * sizeof(T)), 0);
    data_ = static_cast<T*>(p);
  }
  explicit OnDevice(const std::vector<T>& values) : OnDevice(values.size()) {
    EXPECT_EQ(gpu::rt::copy_async(data_, values.data(), count_ * sizeof(T), nullptr), 0);
  }
  ~OnDevice() { gpu::rt::release(data_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  T* get() { return data_; }
  std::vector<T> values() const {
    std::vector<T> values(count_);
    EXPECT_EQ(gpu::rt::copy_async(values.data(), data_, count_ * sizeof(T), nullptr), 0);
    return values;
  }

 private:
  T* data_ = nullptr;
  size_t count_;
};

inline std::vector<float> random_floats(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> numbers(-1, 1);
  std::vector<float> values(count);
  for (float& x : values) x = numbers(random);
  return values;
}

inline std::vector<gpu::Half> to_halves(const std::vector<float>& floats) {
  std::vector<gpu::Half> halves;
  halves.reserve(floats.size());
  for (float x : floats) halves.push_back(gpu::emulated::to_half(x));
  return halves;
}

// All ways to run a kernel: three orders, copies at once or late, with and without preemption.
inline std::vector<gpu::emulated::Options> all_schedules(bool check) {
  using gpu::emulated::Order;
  std::vector<gpu::emulated::Options> all;
  for (Order order : {Order::kInOrder, Order::kReverse, Order::kRandom}) {
    for (bool lazy : {false, true}) {
      for (uint32_t preempt : {0U, 7U})
        all.push_back(
            {.order = order, .preempt = preempt, .lazy_copies = lazy, .check = check, .mma = {}});
    }
  }
  return all;
}

inline std::string text_of(const gpu::emulated::Options& options) {
  static constexpr const char* kOrders[] = {"in order", "reverse", "random"};
  return std::string(kOrders[static_cast<int>(options.order)]) +
         (options.lazy_copies ? ", lazy copies" : "") + ", preempt " +
         std::to_string(options.preempt);
}

// Leaves the emulator as it was found. The checker is on where the kernels are compiled for it.
class EmulatorTest : public ::testing::Test {
 protected:
  EmulatorTest() {
    gpu::emulated::take_reports();
    gpu::emulated::set_options({.check = kernels_are_instrumented()});
  }
  ~EmulatorTest() override {
    gpu::emulated::take_reports();
    gpu::emulated::set_options({});
  }
};

inline void expect_no_reports() {
  const gpu::emulated::Reports reports = gpu::emulated::take_reports();
  EXPECT_EQ(reports.total(), 0) << (reports.messages.empty() ? "" : reports.messages.front());
}

}  // namespace penult::testing
