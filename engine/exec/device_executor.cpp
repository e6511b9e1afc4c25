#include "engine/exec/device_executor.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "engine/base/check.h"
#include "engine/exec/deliver.h"

namespace penult {
namespace {

constexpr size_t kValueBytes = sizeof(Rgb8Values::value);

size_t float_bytes(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

}  // namespace

Result<std::unique_ptr<DeviceWorkspace>> DeviceWorkspace::create(const Plan& plan,
                                                                 const Rgb8Values& values) {
  PENULT_ASSIGN_OR_RETURN(const auto scope, plan.device->enter());
  std::unique_ptr<DeviceWorkspace> workspace(new DeviceWorkspace(plan, values));
  PENULT_RETURN_IF_ERROR(workspace->allocate());
  PENULT_RETURN_IF_ERROR(workspace->upload(values));
  PENULT_RETURN_IF_ERROR(workspace->bind());
  PENULT_RETURN_IF_ERROR(workspace->record());
  return workspace;
}

Status DeviceWorkspace::allocate() {
  kernels::Device& device = *plan_.device;
  PENULT_ASSIGN_OR_RETURN(stream_, device.create_stream());
  PENULT_ASSIGN_OR_RETURN(arena_, device.allocate(plan_.arena_bytes));
  PENULT_ASSIGN_OR_RETURN(
      scratch_, device.allocate(plan_.scratch_bytes * static_cast<size_t>(plan_.options.threads)));
  const size_t image_bytes = float_bytes(plan_.options.max_batch * plan_.input.elems());
  PENULT_ASSIGN_OR_RETURN(images_, device.allocate(image_bytes));
  PENULT_ASSIGN_OR_RETURN(host_images_, device.allocate_pinned(image_bytes));
  PENULT_ASSIGN_OR_RETURN(values_, device.allocate(kValueBytes));
  delivered_.resize(plan_.deliveries.size());
  for (const Step& step : plan_.steps) {
    if (step.kind != Step::Kind::kDeliver) continue;
    const kernels::TensorDesc& desc = plan_.buffers[step.src[0]].desc;
    const size_t bytes = float_bytes(plan_.options.max_batch * desc.image_stride);
    Delivered& delivered = delivered_[static_cast<size_t>(step.delivery)];
    PENULT_ASSIGN_OR_RETURN(delivered.device, device.allocate(bytes));
    PENULT_ASSIGN_OR_RETURN(delivered.host, device.allocate_pinned(bytes));
  }
  return {};
}

Status DeviceWorkspace::upload(const Rgb8Values& values) {
  const auto* from = reinterpret_cast<const std::byte*>(values.value.data());
  PENULT_RETURN_IF_ERROR(stream_->copy(values_.data(), from, kValueBytes));
  return stream_->synchronize();
}

std::byte* DeviceWorkspace::address(int buffer) const {
  return arena_.data() + plan_.buffers[buffer].offset_bytes;
}

kernels::DeviceMap DeviceWorkspace::map_of(int buffer) const {
  const kernels::TensorDesc& desc = plan_.buffers[buffer].desc;
  PENULT_DCHECK(desc.halo == kernels::Halo{} && desc.ring_rows == 0);
  return {
      .shape = desc.shape, .pixel_stride = desc.pixel_stride, .precision = plan_.options.precision};
}

Status DeviceWorkspace::bind() {
  const auto typed = [&](int buffer) { return reinterpret_cast<float*>(address(buffer)); };
  for (const Step& step : plan_.steps) {
    std::unique_ptr<kernels::BoundKernel>& bound = bound_.emplace_back();
    if (step.kind != Step::Kind::kKernel) continue;
    std::vector<const float*> src;
    for (const int buffer : step.src) src.push_back(typed(buffer));
    PENULT_ASSIGN_OR_RETURN(
        bound, step.prepared->bind({.src = src.data(),
                                    .residual = step.residual >= 0 ? typed(step.residual) : nullptr,
                                    .dst = typed(step.dst),
                                    .packed = plan_.packed.device->data() + step.packed_offset,
                                    .scratch = scratch_.data(),
                                    .stream = stream_.get()}));
  }
  return {};
}

// Where recording fails, steps are given one by one, as for smaller batches. Graphs of full
// batches: the last batch of a job alone is smaller, and a graph for each number of images would
// cost memory and time.
Status DeviceWorkspace::record() {
  for (const Form form : {kPlanar, kRgb8}) {
    if (form == kRgb8 && plan_.input.c != 3) continue;
    PENULT_RETURN_IF_ERROR(stream_->begin_recording());
    const Status given = give_all(form, plan_.options.max_batch);
    auto graph = stream_->end_recording();  // also after an error: the stream must go on
    if (given.ok() && graph.ok()) graphs_[form] = std::move(graph).value();
  }
  return {};
}

Status DeviceWorkspace::give_input(const Step& step, Form form, int64_t n) {
  kernels::Device& device = *plan_.device;
  const int64_t elems = n * plan_.input.elems();
  const auto bytes = form == kRgb8 ? static_cast<size_t>(elems) : float_bytes(elems);
  PENULT_RETURN_IF_ERROR(stream_->copy(images_.data(), host_images_.data(), bytes));
  const kernels::DeviceMap map = map_of(step.dst);
  if (form == kPlanar) {
    return device.import_planar(*stream_, map, n, reinterpret_cast<float*>(images_.data()),
                                address(step.dst));
  }
  const int source[3] = {source_[0], source_[1], source_[2]};
  return device.import_rgb8(*stream_, map, n, reinterpret_cast<const uint8_t*>(images_.data()),
                            reinterpret_cast<const float*>(values_.data()), source,
                            address(step.dst));
}

Status DeviceWorkspace::give_delivery(const Step& step, int64_t n) {
  const Delivered& delivered = delivered_[static_cast<size_t>(step.delivery)];
  auto* const there = reinterpret_cast<float*>(delivered.device.data());
  PENULT_RETURN_IF_ERROR(
      plan_.device->export_f32(*stream_, map_of(step.src[0]), n, address(step.src[0]), there));
  const size_t bytes = float_bytes(n * plan_.buffers[step.src[0]].desc.image_stride);
  return stream_->copy(delivered.host.data(), delivered.device.data(), bytes);
}

Status DeviceWorkspace::give_step(size_t index, Form form, int64_t n) {
  const Step& step = plan_.steps[index];
  switch (step.kind) {
    case Step::Kind::kInput:
      return give_input(step, form, n);
    case Step::Kind::kDeliver:
      return give_delivery(step, n);
    case Step::Kind::kKernel:
      break;
  }
  return bound_[index]->run(n);
}

Status DeviceWorkspace::give_all(Form form, int64_t n) {
  for (size_t s = 0; s < plan_.steps.size(); ++s) PENULT_RETURN_IF_ERROR(give_step(s, form, n));
  return {};
}

Status DeviceWorkspace::run_steps(Form form, int64_t n, std::span<double> step_ms) {
  using Clock = std::chrono::steady_clock;
  auto start = Clock::now();
  for (size_t s = 0; s < plan_.steps.size(); ++s) {
    PENULT_RETURN_IF_ERROR(give_step(s, form, n));
    PENULT_RETURN_IF_ERROR(stream_->synchronize());
    const auto now = Clock::now();
    step_ms[s] = std::chrono::duration<double, std::milli>(now - start).count();
    start = now;
  }
  return {};
}

void DeviceWorkspace::copy_in(const InputImages& images, int64_t n) {
  const int64_t elems = n * plan_.input.elems();
  if (images.rgb8 != nullptr) {
    std::memcpy(host_images_.data(), images.rgb8, static_cast<size_t>(elems));
  } else {
    std::memcpy(host_images_.data(), images.planar, float_bytes(elems));
  }
}

Status DeviceWorkspace::run(const InputImages& images, int64_t n,
                            std::span<const std::span<float>> features, std::span<double> step_ms) {
  const Form form = images.rgb8 != nullptr ? kRgb8 : kPlanar;
  PENULT_ASSIGN_OR_RETURN(const auto scope, plan_.device->enter());
  copy_in(images, n);
  const bool recorded = n == plan_.options.max_batch && graphs_[form];
  const Status given = !step_ms.empty() ? run_steps(form, n, step_ms)
                       : recorded       ? stream_->launch(*graphs_[form])
                                        : give_all(form, n);
  // After an error, too: what was given before it still reads our memory.
  const Status done = stream_->synchronize();
  PENULT_RETURN_IF_ERROR(given);
  PENULT_RETURN_IF_ERROR(done);
  for (const Step& step : plan_.steps) {
    if (step.kind != Step::Kind::kDeliver) continue;
    const auto index = static_cast<size_t>(step.delivery);
    deliver(plan_.buffers[step.src[0]].desc,
            reinterpret_cast<const float*>(delivered_[index].host.data()),
            plan_.deliveries[index].pooling, features[index].data(), n, {0, 1});
  }
  return {};
}

}  // namespace penult
