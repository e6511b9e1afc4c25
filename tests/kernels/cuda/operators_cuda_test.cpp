// The device's kernels of all operators but conv2d, on the emulator with its checker, against the
// reference kernels.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/text.h"
#include "kernels/conv2d/conv2d_cuda.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/tables.h"
#include "kernels/pointwise/pointwise_cuda.h"
#include "kernels/pool2d/pool2d_cuda.h"
#include "kernels/softmax/softmax_cuda.h"
#include "tests/kernels/cuda/device_case.h"
#include "tests/kernels/cuda/operators_mutations.h"
#include "tests/kernels/kernel_case.h"

namespace penult::testing {
namespace {

using gpu::emulated::Options;
using kernels::Backend;
using kernels::Kernel;
using kernels::Precision;
using kernels::Table;
using shapes::parse_problem;
using shapes::read_corpus;

// All but conv2d's, which has a test of its own.
const std::vector<Table>& tables() {
  static const std::vector<Table> all = [] {
    std::vector<Table> others;
    for (const Table& table : kernels::cuda::gpu_tables())
      if (table.kernels.data() != kernels::cuda::kConv2dCudaTable.kernels.data())
        others.push_back(table);
    return others;
  }();
  return all;
}

class OperatorsCuda : public KernelsOnEmulatedDevice {
 protected:
  // Calls body(kernel, spec) for each row and each problem that it takes.
  template <class Body>
  static void for_each_accepted(const std::vector<ProblemSpec>& specs, const Body& body) {
    for (const Table& table : tables()) {
      for (const Kernel& kernel : table.kernels) {
        for (const ProblemSpec& spec : specs) {
          if (!shapes::accepts(table, kernel, spec)) continue;
          body(kernel, spec);
          if (HasFailure()) return;
        }
      }
    }
  }

  void expect_within_the_error_model(const Kernel& kernel, const ProblemSpec& spec,
                                     std::span<const Options> further) {
    expect_within(error_bound(spec), kernel, spec, further);
  }
};

// Channels of one vector and several, maps of few and many strips.
std::vector<ProblemSpec> ragged_windows() {
  std::vector<ProblemSpec> specs = {
      parse_problem("conv2d src=12x11x14 oc=12 k=3x2 s=1x2 p=2,0,1,1 d=3x2 g=12"),
      parse_problem("max_pool2d src=12x11x14 k=3x2 s=1x2 p=2,0,1,1 d=3x2")};
  for (const int c : {8, 24, 40}) {
    for (const int h : {1, 2, 3, 4, 5, 7, 8, 11, 15}) {
      const std::string src = concat(" src=", c, "x", h, "x", 16 - h);
      for (const int k : {3, 5}) {
        const std::string window =
            concat(" k=", k, "x", k, " s=", 1 + (h + c / 8) % 2, "x", 1 + (h + c / 8) % 2);
        const int pad = k / 2;
        const std::string pads = concat(" p=", pad, ",", pad, ",", pad, ",", pad);
        specs.push_back(parse_problem(
            concat("conv2d", src, " oc=", c, window, pads, " g=", c, " res=1 act=clamp:0:6")));
        specs.push_back(parse_problem(concat("max_pool2d", src, window, pads)));
        specs.push_back(parse_problem(concat("avg_pool2d", src, window, pads)));
        specs.push_back(
            parse_problem(concat("adaptive_avg_pool2d", src, " output_size=", k, ",4")));
      }
      specs.push_back(parse_problem(concat("global_avg_pool", src, " act=hard_swish")));
    }
  }
  return specs;
}

std::vector<ProblemSpec> reduced_nets() {
  constexpr int64_t kMaxTestCost = 40'000;  // for one image
  std::vector<ProblemSpec> specs;
  for (const char* corpus : {"mobilenet_v2", "mobilenet_v3_large", "resnet18"}) {
    for (const ProblemSpec& spec : read_corpus(corpus))
      if (spec.op != "linear") specs.push_back(reduced(spec, kMaxTestCost));
  }
  specs.push_back(parse_problem("linear src=1280 oc=40"));
  specs.push_back(parse_problem("global_avg_pool src=24x19x20 res=1"));
  return specs;
}

TEST_F(OperatorsCuda, AreExactOnIntegersOfTheTails) {
  for_each_accepted(read_corpus("tails"), [&](const Kernel& kernel, const ProblemSpec& spec) {
    expect_exact_on_integers(kernel, spec, schedules());
  });
}

TEST_F(OperatorsCuda, StayWithinTheErrorModelOnRealsOfTheTails) {
  for_each_accepted(read_corpus("tails"), [&](const Kernel& kernel, const ProblemSpec& spec) {
    expect_within_the_error_model(kernel, spec, schedules().subspan(1, 2));
  });
}

TEST_F(OperatorsCuda, StayWithinTheErrorModelOnRaggedWindows) {
  for_each_accepted(ragged_windows(), [&](const Kernel& kernel, const ProblemSpec& spec) {
    expect_within_the_error_model(kernel, spec, schedules());
  });
}

TEST_F(OperatorsCuda, StayWithinTheErrorModelOnNets) {
  for_each_accepted(reduced_nets(), [&](const Kernel& kernel, const ProblemSpec& spec) {
    expect_within_the_error_model(kernel, spec, {});
  });
}

TEST_F(OperatorsCuda, TakeEveryProblemOfTheNetsButDenseConvolutionsInBothPrecisions) {
  for (const char* corpus : shapes::all_corpora()) {
    for (const ProblemSpec& spec : read_corpus(corpus)) {
      const bool is_depthwise = spec.groups == spec.src.c && spec.groups == spec.oc;
      if (spec.op == "conv2d" && (!is_depthwise || !spec.further.empty())) continue;
      int rows[2] = {};
      for (const Table& table : tables()) {
        for (const Kernel& kernel : table.kernels)
          rows[static_cast<int>(kernel.precision)] += shapes::accepts(table, kernel, spec);
      }
      EXPECT_TRUE(rows[0] > 0 && rows[1] > 0) << spec.to_string();
    }
  }
}

TEST_F(OperatorsCuda, RowsAreNamedAfterOperatorTypeAndBackendAndPrepare) {
  for (const Table& table : tables()) {
    for (const Kernel& kernel : table.kernels) {
      const std::string name = kernel.name;
      const char* type = kernel.precision == Precision::kF32 ? "_f32_cuda" : "_f16_cuda";
      EXPECT_TRUE(name.starts_with(std::string(table.op) + "_")) << name;
      EXPECT_TRUE(name.ends_with(type)) << name;
      EXPECT_TRUE(kernel.prepare && !kernel.run) << name;
    }
  }
}

TEST(DividerCuda, DividesEveryNumberBelowTwoToThe31) {
  constexpr uint32_t kMost = INT32_MAX;
  std::vector<uint32_t> divisors = {kMost, kMost - 1};
  for (uint32_t d = 1; d <= 1000; ++d) divisors.push_back(d);
  for (uint32_t power = 1024; power <= kMost / 2; power *= 2)
    divisors.insert(divisors.end(), {power - 1, power, power + 1});
  for (const uint32_t d : divisors) {
    const kernels::cuda::Divider divider = kernels::cuda::Divider::by(d);
    for (uint32_t whole = kMost / d, step = 0; step < 40; ++step, whole -= whole / 3) {
      // The numbers where the quotient changes.
      for (const uint32_t x : {whole * d, whole * d - (whole > 0), kMost}) {
        const kernels::cuda::Quotient q = kernels::cuda::divide(x, divider);
        ASSERT_TRUE(q.whole == x / d && q.rest == x % d) << x << " / " << d;
      }
    }
  }
}

// One NaN, in channel 1 of the first image.
Dense with_nan(const Kernel& kernel, kernels::Device& device, const char* problem) {
  KernelCase c = KernelCase::make(parse_problem(problem), Numbers::kReals, 1);
  c.src[0][1] = std::numeric_limits<float>::quiet_NaN();
  return run_on_device(device, kernel, c, {1, 1});
}

TEST_F(OperatorsCuda, KeepNans) {
  using namespace kernels::cuda;
  for (const size_t precision : {0, 1}) {
    const Dense softmax =
        with_nan(kSoftmaxCudaTable.kernels[precision], *device_, "softmax src=300");
    EXPECT_TRUE(std::all_of(softmax.begin(), softmax.end(), [](float x) { return std::isnan(x); }));
    const Dense largest = with_nan(kMaxPool2dCudaTable.kernels[precision], *device_,
                                   "max_pool2d src=9x4x4 k=3x3 s=2x2 p=1,1,1,1");
    for (size_t i = 0; i < largest.size(); ++i) EXPECT_EQ(std::isnan(largest[i]), i == 1) << i;
    const Dense clipped =
        with_nan(kActivationCudaTable.kernels[precision], *device_, "relu6 src=9x2x2");
    for (size_t i = 0; i < clipped.size(); ++i) EXPECT_EQ(std::isnan(clipped[i]), i == 1) << i;
  }
}

// The ends of a network, with all memory on the device.
class TransfersCuda : public OperatorsCuda {
 protected:
  void SetUp() override {
    OperatorsCuda::SetUp();
    ASSERT_TRUE(device_);
    stream_ = device_->create_stream().value();
    gpu::emulated::set_options(schedules().back());
  }

  template <class T>
  T* upload(const std::vector<T>& values) {
    const size_t bytes = values.size() * sizeof(T);
    memory_.push_back(device_->allocate(bytes).value());
    std::byte* const data = memory_.back().data();
    const auto* from = reinterpret_cast<const std::byte*>(values.data());
    EXPECT_TRUE(stream_->copy(data, from, bytes).ok());
    EXPECT_TRUE(stream_->synchronize().ok());
    return reinterpret_cast<T*>(data);
  }

  // What export_f32 makes of a map that `import` has written.
  template <class Import>
  Dense exported(const kernels::DeviceMap& map, int64_t n, const Import& import) {
    const int64_t elems = n * map.shape.h * map.shape.w * map.pixel_stride;
    const auto size = static_cast<size_t>(elems);
    std::byte* const stored =
        upload(std::vector(size * static_cast<size_t>(bytes_of(map.precision)), std::byte{0xFF}));
    float* const floats = upload(Dense(size));
    EXPECT_TRUE(import(stored).ok());
    EXPECT_TRUE(device_->export_f32(*stream_, map, n, stored, floats).ok());
    Dense result(size);
    EXPECT_TRUE(stream_
                    ->copy(reinterpret_cast<std::byte*>(result.data()),
                           reinterpret_cast<const std::byte*>(floats), size * sizeof(float))
                    .ok());
    EXPECT_TRUE(stream_->synchronize().ok());
    expect_no_reports("transfer");
    return result;
  }

  std::unique_ptr<kernels::DeviceStream> stream_;
  std::vector<kernels::DeviceMemory> memory_;
};

TEST_F(TransfersCuda, ImportPlanarMapsAndExportThem) {
  constexpr int64_t kN = 2, kH = 3, kW = 5;
  for (const Precision precision : {Precision::kF32, Precision::kF16}) {
    for (const int64_t c : {1, 3, 8, 17}) {
      const kernels::DeviceMap map{Shape::map(c, kH, kW), kernels::cuda::padded(c), precision};
      Dense planar(static_cast<size_t>(kN * c * kH * kW));
      for (size_t i = 0; i < planar.size(); ++i) planar[i] = 0.1F * static_cast<float>(i) - 7;
      const float* data = upload(planar);
      const Dense got = exported(map, kN, [&](std::byte* dst) {
        return device_->import_planar(*stream_, map, kN, data, dst);
      });
      const Dense stored = rounded_to(precision, planar);
      for (size_t i = 0; i < got.size(); ++i) {
        const auto at = static_cast<int64_t>(i);
        const int64_t channel = at % map.pixel_stride, pixel = at / map.pixel_stride;
        const int64_t image = pixel / (kH * kW), inside = pixel % (kH * kW);
        const int64_t from = (image * c + channel) * kH * kW + inside;
        ASSERT_EQ(got[i], channel < c ? stored[static_cast<size_t>(from)] : 0.0F) << c << " " << i;
      }
    }
  }
}

TEST_F(TransfersCuda, ImportBytesThroughTheirTable) {
  constexpr int64_t kN = 2, kH = 7, kW = 9;
  const int source[3] = {2, 0, 1};
  std::vector<uint8_t> rgb8(kN * kH * kW * 3);
  for (size_t i = 0; i < rgb8.size(); ++i) rgb8[i] = static_cast<uint8_t>(i * 37);
  Dense values(3 * 256);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 3;
  for (const Precision precision : {Precision::kF32, Precision::kF16}) {
    const kernels::DeviceMap map{Shape::map(3, kH, kW), kernels::cuda::padded(3), precision};
    const uint8_t* bytes = upload(rgb8);
    const float* table = upload(values);
    const Dense got = exported(map, kN, [&](std::byte* dst) {
      return device_->import_rgb8(*stream_, map, kN, bytes, table, source, dst);
    });
    const Dense stored = rounded_to(precision, values);
    for (size_t i = 0; i < got.size(); ++i) {
      const size_t pixel = i / 8, c = i % 8;
      const float expected =
          c < 3 ? stored[c * 256 + rgb8[pixel * 3 + static_cast<size_t>(source[c])]] : 0.0F;
      ASSERT_EQ(got[i], expected) << i;
    }
  }
}

TEST_F(OperatorsCuda, BugsAreCaughtInEverySchedule) {
  for (const Mutation& mutation : operator_mutations()) {
    const ProblemSpec spec = parse_problem(mutation.problem);
    const KernelCase c = KernelCase::make(spec, Numbers::kIntegers, kImages);
    const Dense expected = reference(c);
    for (const Options& schedule : schedules()) {
      gpu::emulated::set_options(schedule);
      const DeviceRun run = try_on_device(*device_, mutation.kernel, c, {kImages, kImages});
      const bool reported = gpu::emulated::take_reports().total() > 0;
      EXPECT_EQ(reported, mutation.reported) << mutation.name << ": " << text_of(schedule);
      EXPECT_EQ(run.status.ok(), !reported) << mutation.name;
      if (reported) continue;
      EXPECT_NE(run.dst, expected) << mutation.name << ": " << text_of(schedule);
    }
  }
}

}  // namespace
}  // namespace penult::testing
