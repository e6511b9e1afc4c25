#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/rgb8_values.h"
#include "engine/exec/runner.h"
#include "engine/plan/plan.h"

namespace penult {

// A plan's steps on a device: Workspace (executor.h) for memory that is elsewhere. Images go there
// and features come back through pinned memory of the host; what a full batch does is recorded
// beforehand, and started as one.
class DeviceWorkspace : public Runner {
 public:
  // `values` are those of every run_rgb8().
  static Result<std::unique_ptr<DeviceWorkspace>> create(const Plan& plan,
                                                         const Rgb8Values& values);

  // Allocates nothing of its own. Device if the device fails.
  Status run(const InputImages& images, int64_t n, std::span<const std::span<float>> features,
             std::span<double> step_ms) override;

 private:
  // How images come: their bytes differ, and the kernel that reads them.
  enum Form { kPlanar, kRgb8, kForms };
  // A delivered map in f32, there and here.
  struct Delivered {
    kernels::DeviceMemory device, host;
  };

  DeviceWorkspace(const Plan& plan, const Rgb8Values& values) : plan_(plan), source_(values.byte) {}
  Status upload(const Rgb8Values& values);
  Status allocate();
  Status bind();
  Status record();
  Status give_all(Form form, int64_t n);
  Status give_step(size_t index, Form form, int64_t n);
  Status give_input(const Step& step, Form form, int64_t n);
  Status give_delivery(const Step& step, int64_t n);
  Status run_steps(Form form, int64_t n, std::span<double> step_ms);
  void copy_in(const InputImages& images, int64_t n);
  std::byte* address(int buffer) const;
  kernels::DeviceMap map_of(int buffer) const;

  const Plan& plan_;
  std::unique_ptr<kernels::DeviceStream> stream_;
  kernels::DeviceMemory arena_, scratch_;
  kernels::DeviceMemory images_, host_images_, values_;
  std::array<int, 3> source_;                                 // Rgb8Values::byte
  std::vector<Delivered> delivered_;                          // one a delivery
  std::vector<std::unique_ptr<kernels::BoundKernel>> bound_;  // one a step; null: no kernel
  std::array<std::unique_ptr<kernels::DeviceGraph>, kForms> graphs_;
};

}  // namespace penult
