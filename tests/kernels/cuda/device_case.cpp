#include "tests/kernels/cuda/device_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "engine/base/text.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/gpu_types.h"
#include "kernels/cuda/row.h"
#include "kernels/prepared.h"
#include "kernels/support.h"
#include "tests/kernels/kernel_case.h"

namespace penult::testing {
namespace {

using gpu::emulated::Options;
using gpu::emulated::Order;
using kernels::Device;
using kernels::DeviceMemory;
using kernels::DeviceStream;
using kernels::Kernel;
using kernels::Precision;
using kernels::Problem;
using kernels::TensorDesc;
using shapes::Dense;
using shapes::KernelCase;
using shapes::ProblemSpec;
using Bytes = std::vector<std::byte>;

constexpr float kGarbage = 12345.5F;   // less than the largest f16
constexpr std::byte kUntouched{0xFF};  // of NaNs

void require(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

template <class T>
T require(Result<T> result) {
  require(result.status());
  return std::move(result).value();
}

TensorDesc dense_on_device(const Shape& shape) {
  TensorDesc desc{.shape = shape, .pixel_stride = kernels::cuda::padded(shape.c)};
  desc.row_stride = shape.w * desc.pixel_stride;
  desc.image_stride = shape.h * desc.row_stride;
  return desc;
}

void store(std::byte* map, int64_t index, float value, Precision precision) {
  if (precision == Precision::kF32) {
    std::memcpy(map + index * 4, &value, 4);
  } else {
    const uint16_t bits = gpu::half_from_float(value).bits;
    std::memcpy(map + index * 2, &bits, 2);
  }
}

float load(const std::byte* map, int64_t index, Precision precision) {
  if (precision == Precision::kF32) {
    float value;
    std::memcpy(&value, map + index * 4, 4);
    return value;
  }
  gpu::Half half;
  std::memcpy(&half, map + index * 2, 2);
  return gpu::float_from_half(half);
}

size_t bytes_of(const TensorDesc& desc, int64_t images, Precision precision) {
  return static_cast<size_t>(desc.image_stride * images * kernels::bytes_of(precision));
}

// The first `images` images of `dense` with garbage in the padding, and `max_batch - images` of
// garbage only.
Bytes map_of(const Dense& dense, const TensorDesc& desc, int64_t images, int64_t max_batch,
             Precision precision) {
  Bytes map(bytes_of(desc, max_batch, precision));
  const int64_t pixels = desc.shape.h * desc.shape.w, c = desc.shape.c;
  for (int64_t pixel = 0; pixel < max_batch * pixels; ++pixel) {
    for (int64_t i = 0; i < desc.pixel_stride; ++i) {
      const bool is_number = pixel < images * pixels && i < c;
      const float value = is_number ? dense[static_cast<size_t>(pixel * c + i)] : kGarbage;
      store(map.data(), pixel * desc.pixel_stride + i, value, precision);
    }
  }
  return map;
}

// What the device has, and how it comes there and back.
class Workspace {
 public:
  explicit Workspace(Device& device) : device_(device), stream_(require(device.create_stream())) {}

  DeviceStream& stream() { return *stream_; }

  std::byte* allocate(size_t bytes) {
    memory_.push_back(require(device_.allocate(bytes)));
    return memory_.back().data();
  }

  std::byte* upload(const Bytes& host) {
    std::byte* const data = allocate(host.size());
    if (host.empty()) return data;
    require(stream_->copy(data, host.data(), host.size()));
    require(stream_->synchronize());
    return data;
  }

  Bytes download(const std::byte* data, size_t bytes) {
    Bytes host(bytes);
    if (bytes == 0) return host;
    require(stream_->copy(host.data(), data, bytes));
    require(stream_->synchronize());
    return host;
  }

 private:
  Device& device_;
  std::unique_ptr<DeviceStream> stream_;
  std::vector<DeviceMemory> memory_;
};

std::byte* upload_packed(Workspace& workspace, const kernels::PreparedKernel& prepared,
                         const Problem& problem, const KernelCase& c) {
  const int64_t channels = problem.weight_dims.empty() ? 0 : problem.weight_dims[0][0];
  kernels::LoadedWeights weights({c.weights.begin(), c.weights.end()}, channels);
  // NaNs where pack() leaves gaps that run() then reads.
  Bytes packed(prepared.packed_bytes(), std::byte{0xFF});
  require(prepared.pack(weights, packed.data()));
  return workspace.upload(packed);
}

struct Sources {
  std::vector<Bytes> host;
  std::vector<const float*> device;
};

Sources upload_sources(Workspace& workspace, const Problem& problem, const KernelCase& c,
                       DevicePlan plan, Precision precision) {
  Sources sources;
  for (size_t i = 0; i < problem.src.size(); ++i) {
    sources.host.push_back(map_of(c.src[i], problem.src[i], plan.n, plan.max_batch, precision));
    const std::byte* data = workspace.upload(sources.host.back());
    sources.device.push_back(reinterpret_cast<const float*>(data));
  }
  return sources;
}

bool all_finite(const Bytes& map, const TensorDesc& desc, int64_t n, Precision precision) {
  for (int64_t pixel = 0; pixel < n * desc.shape.h * desc.shape.w; ++pixel) {
    for (int64_t i = desc.shape.c; i < desc.pixel_stride; ++i)
      if (!std::isfinite(load(map.data(), pixel * desc.pixel_stride + i, precision))) return false;
  }
  return true;
}

Dense dense_of(const Bytes& map, const TensorDesc& desc, int64_t n, Precision precision) {
  Dense dense;
  for (int64_t pixel = 0; pixel < n * desc.shape.h * desc.shape.w; ++pixel) {
    for (int64_t i = 0; i < desc.shape.c; ++i)
      dense.push_back(load(map.data(), pixel * desc.pixel_stride + i, precision));
  }
  return dense;
}

// Into `run`: what the kernel has left in dst and in the sources.
void inspect(Workspace& workspace, const Sources& sources, const Bytes& dst, const Problem& problem,
             int64_t n, Precision precision, DeviceRun& run) {
  const size_t used = bytes_of(problem.dst, n, precision);
  const auto is_untouched = [](std::byte byte) { return byte == kUntouched; };
  if (!std::all_of(dst.begin() + static_cast<std::ptrdiff_t>(used), dst.end(), is_untouched))
    run.complaint = concat("wrote images beyond ", n);
  if (!all_finite(dst, problem.dst, n, precision))
    run.complaint = "NaNs or infinities in the padding of channels";
  for (size_t i = 0; i < sources.host.size(); ++i) {
    const auto* data = reinterpret_cast<const std::byte*>(sources.device[i]);
    if (workspace.download(data, sources.host[i].size()) != sources.host[i])
      run.complaint = concat("changed src ", i);
  }
  run.dst = dense_of(dst, problem.dst, n, precision);
}

void round_all(Dense& values) {
  for (float& value : values) value = gpu::float_from_half(gpu::half_from_float(value));
}

}  // namespace

void lay_out_for_device(Problem& problem) {
  for (TensorDesc& src : problem.src) src = dense_on_device(src.shape);
  problem.dst = dense_on_device(problem.dst.shape);
  if (problem.epilogue.residual) problem.residual = problem.dst;
}

Problem laid_out_for_device(const ProblemSpec& spec) {
  Problem problem = make_problem(spec);
  lay_out_for_device(problem);
  return problem;
}

DeviceRun try_on_device(Device& device, const Kernel& kernel, const KernelCase& kernel_case,
                        DevicePlan plan) {
  return try_on_device(device, kernel, laid_out_for_device(kernel_case.spec), kernel_case, plan);
}

DeviceRun try_on_device(Device& device, const Kernel& kernel, const Problem& problem,
                        const KernelCase& kernel_case, DevicePlan plan) {
  const Precision precision = kernel.precision;
  const auto prepared =
      require(kernel.prepare({.problem = problem, .max_batch = plan.max_batch, .threads = 1}));

  Workspace workspace(device);
  std::byte* const packed = upload_packed(workspace, *prepared, problem, kernel_case);
  const Sources sources = upload_sources(workspace, problem, kernel_case, plan, precision);
  const std::byte* residual = nullptr;
  if (problem.epilogue.residual)
    residual = workspace.upload(
        map_of(kernel_case.residual, problem.residual, plan.n, plan.max_batch, precision));
  const size_t dst_bytes = bytes_of(problem.dst, plan.max_batch, precision);
  std::byte* const dst = workspace.upload(Bytes(dst_bytes, kUntouched));

  const auto bound =
      require(prepared->bind({.src = sources.device.data(),
                              .residual = reinterpret_cast<const float*>(residual),
                              .dst = reinterpret_cast<float*>(dst),
                              .packed = packed,
                              .scratch = workspace.allocate(prepared->scratch_bytes()),
                              .stream = &workspace.stream()}));
  DeviceRun run{.status = bound->run(plan.n), .complaint = {}, .dst = {}};
  const Status done = workspace.stream().synchronize();
  if (run.status.ok()) run.status = done;
  if (!run.status.ok()) return run;
  inspect(workspace, sources, workspace.download(dst, dst_bytes), problem, plan.n, precision, run);
  return run;
}

Dense run_on_device(Device& device, const Kernel& kernel, const KernelCase& kernel_case,
                    DevicePlan plan) {
  DeviceRun run = try_on_device(device, kernel, kernel_case, plan);
  const std::string name = std::string(kernel.name) + ": " + kernel_case.spec.to_string();
  EXPECT_TRUE(run.status.ok()) << name << "\n" << run.status.message();
  EXPECT_EQ(run.complaint, "") << name;
  return std::move(run.dst);
}

void expect_close_on_device(Device& device, const Kernel& kernel, const KernelCase& kernel_case,
                            DevicePlan plan, const Dense& expected,
                            const std::function<double(size_t)>& bound, const std::string& hint) {
  const Dense got = run_on_device(device, kernel, kernel_case, plan);
  ASSERT_FALSE(got.empty()) << hint;
  for (size_t i = 0; i < got.size(); ++i) {
    const double error = std::fabs(static_cast<double>(got[i]) - expected[i]);
    ASSERT_TRUE(error <= bound(i) || got[i] == expected[i])  // infinities
        << kernel.name << ": " << kernel_case.spec.to_string() << "\nn " << plan.n << " of "
        << plan.max_batch << ", element " << i << ": expected " << expected[i] << ", got " << got[i]
        << ", bound " << bound(i) << " " << hint;
  }
}

KernelCase rounded_to(Precision precision, const KernelCase& c) {
  KernelCase rounded = c;
  if (precision == Precision::kF32) return rounded;
  for (Dense& src : rounded.src) round_all(src);
  round_all(rounded.residual);
  if (!rounded.weights.empty()) round_all(rounded.weights[0]);
  return rounded;
}

Dense rounded_to(Precision precision, const Dense& expected) {
  Dense rounded = expected;
  if (precision == Precision::kF16) round_all(rounded);
  return rounded;
}

double f16_bound(double f32_bound, double expected) {
  return f32_bound + 0x1p-11 * (std::fabs(expected) + f32_bound) + 0x1p-25;
}

double device_bound(Precision precision, const ErrorBound& bound, double magnitude,
                    double expected) {
  const double f32 = bound.at(magnitude, expected);
  return precision == Precision::kF32 ? f32 : f16_bound(f32, expected);
}

std::span<const Options> schedules() {
  constexpr uint32_t kPreempt = 9;
  static const auto all = [] {
    std::array<Options, 6> options;
    for (size_t i = 0; i < options.size(); ++i) {
      const Order orders[] = {Order::kInOrder, Order::kReverse, Order::kRandom};
      options[i].order = orders[i % 3];
      options[i].preempt = options[i].order == Order::kRandom ? kPreempt : 0;
      options[i].lazy_copies = i >= 3;
      options[i].check = true;
    }
    return options;
  }();
  return all;
}

std::string text_of(const Options& schedule) {
  const char* order = schedule.order == Order::kInOrder   ? "in order"
                      : schedule.order == Order::kReverse ? "reverse"
                                                          : "random";
  return concat(order, schedule.preempt > 0 ? ", preempted" : "",
                schedule.lazy_copies ? ", lazy" : ", eager");
}

void expect_no_reports(const std::string& hint) {
  const gpu::emulated::Reports reports = gpu::emulated::take_reports();
  EXPECT_EQ(reports.total(), 0) << hint << "\n"
                                << (reports.messages.empty() ? "" : reports.messages.front());
}

void OnEmulatedDevice::SetUp() {
  auto opened = kernels::cuda::open_device(0);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  device_ = std::move(opened).value();
  gpu::emulated::take_reports();
}

Dense KernelsOnEmulatedDevice::run(const Kernel& kernel, const KernelCase& c,
                                   const Options& schedule, DevicePlan plan) {
  gpu::emulated::set_options(schedule);
  return run_on_device(*device_, kernel, c, plan);
}

Dense KernelsOnEmulatedDevice::reference(const KernelCase& c) {
  return run_kernel(*find_kernel(c.spec, kernels::Backend::kReference, Isa::kScalar), c,
                    {kImages, 1});
}

void KernelsOnEmulatedDevice::expect_close(const Kernel& kernel, const KernelCase& c,
                                           const Dense& expected,
                                           const std::function<double(size_t)>& bound,
                                           std::span<const Options> further) {
  const Options& last = schedules().back();
  gpu::emulated::set_options(last);
  expect_close_on_device(*device_, kernel, c, {kImages, kImages}, expected, bound, text_of(last));
  if (HasFatalFailure()) return;
  const Dense whole = further.empty() ? Dense() : run(kernel, c, last);
  for (const Options& schedule : further) {
    for (const DevicePlan& plan : {DevicePlan{1, 1}, DevicePlan{2, kImages}}) {
      const Dense some = run(kernel, c, schedule, plan);
      ASSERT_TRUE(std::equal(some.begin(), some.end(), whole.begin()))
          << kernel.name << ": " << c.spec.to_string() << "\n"
          << text_of(schedule) << ": other bits than in a whole batch";
    }
  }
  expect_no_reports(concat(kernel.name, ": ", c.spec.to_string()));
}

void KernelsOnEmulatedDevice::expect_exact_on_integers(const Kernel& kernel,
                                                       const ProblemSpec& spec,
                                                       std::span<const Options> further) {
  if (!is_exact_on_integers(spec)) return;
  const KernelCase c = KernelCase::make(spec, shapes::Numbers::kIntegers, kImages);
  expect_close(
      kernel, c, rounded_to(kernel.precision, reference(c)), [](size_t) { return 0.0; }, further);
}

void KernelsOnEmulatedDevice::expect_within(const ErrorBound& bound, const Kernel& kernel,
                                            const ProblemSpec& spec,
                                            std::span<const Options> further, bool has_mma) {
  const KernelCase c =
      rounded_to(kernel.precision, KernelCase::make(spec, shapes::Numbers::kReals, kImages));
  const Dense expected = reference(c), magnitude = reference(magnitudes_of(c));
  const auto bound_at = [&](size_t i) {
    return device_bound(kernel.precision, bound, magnitude[i], expected[i]);
  };
  expect_close(kernel, c, expected, bound_at, further);
  if (!has_mma || kernel.precision == Precision::kF32 || HasFatalFailure()) return;
  gpu::emulated::set_options({.mma = gpu::emulated::MmaSum::kTruncatedByFours});
  expect_close_on_device(*device_, kernel, c, {kImages, kImages}, expected, bound_at,
                         "mma truncates");
}

}  // namespace penult::testing
