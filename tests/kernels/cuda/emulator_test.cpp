// The emulator computes what a GPU would: instructions, barriers, the runtime's copies and graphs.

#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "tests/kernels/cuda/emulator_support.h"
#include "tests/support/error_model.h"

namespace penult::testing {
namespace {

using gpu::Half;
using namespace gpu::emulated;

class Emulator : public EmulatorTest {};

TEST_F(Emulator, NumbersThreadsAndBlocksByAllAxes) {
  OnDevice<uint32_t> y(3 * 2 * 2 * 64);
  ASSERT_EQ(launch_numbers({3, 2, 2}, {8, 4, 2}, y.get()), 0);
  const auto values = y.values();
  for (uint32_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], i / 64 * 1000 + i % 64);
  expect_no_reports();
}

TEST_F(Emulator, ConvertsAllHalves) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Half half = {static_cast<uint16_t>(bits)};
    const float x = to_float(half);
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const double fraction = bits & 0x3ff;
    if (exponent == 31 && fraction != 0) {
      EXPECT_TRUE(std::isnan(x));
      EXPECT_EQ(to_half(x).bits & 0x7fff, 0x7fff);
      continue;
    }
    double expected =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
    if (exponent == 31) expected = std::numeric_limits<double>::infinity();
    if (bits >= 0x8000) expected = -expected;
    ASSERT_EQ(static_cast<double>(x), expected) << bits;
    ASSERT_EQ(std::signbit(x), bits >= 0x8000) << bits;
    ASSERT_EQ(to_half(x).bits, bits);
  }
}

TEST_F(Emulator, RoundsToTheNearestHalfTiesToEven) {
  for (uint16_t bits = 0; bits < 0x7bff; ++bits) {
    const Half low = {bits}, high = {static_cast<uint16_t>(bits + 1)};
    const float middle = (to_float(low) + to_float(high)) / 2;  // exact in f32
    const Half even = bits % 2 == 0 ? low : high;
    ASSERT_EQ(to_half(middle).bits, even.bits);
    ASSERT_EQ(to_half(std::nextafter(middle, 0.F)).bits, low.bits);
    ASSERT_EQ(to_half(std::nextafter(middle, 1e9F)).bits, high.bits);
    ASSERT_EQ(to_half(-middle).bits, even.bits | 0x8000);
  }
  EXPECT_EQ(to_half(65519.996F).bits, 0x7bff);
  EXPECT_EQ(to_half(65520.F).bits, 0x7c00);
  EXPECT_EQ(to_half(-1e30F).bits, 0xfc00);
}

TEST_F(Emulator, ShufflesWithinTheWarp) {
  const auto x = random_floats(64, 1);
  for (int argument : {1, 5, 16, 31}) {
    for (const Options& schedule : all_schedules(kernels_are_instrumented())) {
      set_options(schedule);
      OnDevice<float> on_device(x), by_xor(64), by_down(64);
      ASSERT_EQ(launch_shuffles(on_device.get(), by_xor.get(), by_down.get(), argument), 0);
      const auto xors = by_xor.values(), downs = by_down.values();
      for (int t = 0; t < 64; ++t) {
        EXPECT_EQ(xors[t], x[t ^ argument]);
        EXPECT_EQ(downs[t], x[t % 32 + argument < 32 ? t + argument : t]);
      }
    }
  }
  expect_no_reports();
}

TEST_F(Emulator, LdmatrixGivesEachLaneItsPairs) {
  std::vector<uint16_t> matrices(4 * 64);
  for (size_t i = 0; i < matrices.size(); ++i) matrices[i] = static_cast<uint16_t>(i);
  OnDevice<uint16_t> x(matrices);
  OnDevice<uint32_t> y(128);
  ASSERT_EQ(launch_ldmatrix(x.get(), y.get()), 0);
  const auto r = y.values();
  for (uint32_t lane = 0; lane < 32; ++lane) {
    for (uint32_t i = 0; i < 4; ++i) {
      const uint32_t first = i * 64 + lane / 4 * 8 + lane % 4 * 2;
      EXPECT_EQ(r[lane * 4 + i], first | (first + 1) << 16);
    }
  }
  expect_no_reports();
}

struct Product {
  std::vector<double> exact, magnitude;  // of c + a * b
};

Product multiply(const std::vector<Half>& a, const std::vector<Half>& b,
                 const std::vector<float>& c) {
  Product product;
  for (int i = 0; i < 128; ++i) {
    double sum = c[i], magnitude = std::fabs(sum);
    for (int k = 0; k < 16; ++k) {
      const double term = static_cast<double>(to_float(a[i / 8 * 16 + k])) *
                          static_cast<double>(to_float(b[k * 8 + i % 8]));
      sum += term;
      magnitude += std::fabs(term);
    }
    product.exact.push_back(sum);
    product.magnitude.push_back(magnitude);
  }
  return product;
}

// Rounded once: half a unit of the result. Truncated after each of four groups: a unit, 2^-23, of
// what the sum may have been, at most the sum of magnitudes, each time; and the rest of
// (1 + 2^-23)^4. Double's own roundings are far below either, hence the factor.
TEST_F(Emulator, MmaIsAMatrixProductInBothRoundings) {
  const auto a = to_halves(random_floats(256, 2)), b = to_halves(random_floats(128, 3));
  const auto c = random_floats(128, 4);
  const Product product = multiply(a, b, c);
  for (MmaSum mma : {MmaSum::kRoundedOnce, MmaSum::kTruncatedByFours}) {
    for (Options schedule : all_schedules(kernels_are_instrumented())) {
      schedule.mma = mma;
      set_options(schedule);
      OnDevice<Half> on_a(a), on_b(b);
      OnDevice<float> on_c(c), on_d(128);
      ASSERT_EQ(launch_multiply(on_a.get(), on_b.get(), on_c.get(), on_d.get()), 0);
      const auto d = on_d.values();
      for (int i = 0; i < 128; ++i) {
        const double bound = mma == MmaSum::kRoundedOnce ? 0x1p-24 * std::fabs(product.exact[i])
                                                         : 4 * 0x1p-23 * product.magnitude[i];
        EXPECT_NEAR(static_cast<double>(d[i]), product.exact[i], bound * (1 + 0x1p-20)) << i;
      }
    }
  }
  expect_no_reports();
}

TEST_F(Emulator, MmaTruncatesWhereRoundingWouldNot) {
  std::vector<float> a(256), b(128), c(128, 1.F);
  a[0] = -0x1p-14F;  // 1 - 2^-28 is nearest to 1, and lies above 1 - 2^-24
  b[0] = 0x1p-14F;
  OnDevice<Half> on_a(to_halves(a)), on_b(to_halves(b));
  OnDevice<float> on_c(c), on_d(128);
  ASSERT_EQ(launch_multiply(on_a.get(), on_b.get(), on_c.get(), on_d.get()), 0);
  EXPECT_EQ(on_d.values()[0], 1.F);
  set_options({.check = kernels_are_instrumented(), .mma = MmaSum::kTruncatedByFours});
  ASSERT_EQ(launch_multiply(on_a.get(), on_b.get(), on_c.get(), on_d.get()), 0);
  EXPECT_EQ(on_d.values()[0], 1.F - 0x1p-24F);
  EXPECT_EQ(on_d.values()[1], 1.F);
}

TEST_F(Emulator, BarrierMakesValuesOfOthersVisible) {
  for (int threads : {32, 96, 1024}) {
    const auto x = random_floats(threads, 5);
    for (const Options& schedule : all_schedules(kernels_are_instrumented())) {
      set_options(schedule);
      OnDevice<float> on_x(x), on_y(threads);
      ASSERT_EQ(launch_rotate(true, on_x.get(), on_y.get(), threads, nullptr), 0);
      const auto y = on_y.values();
      for (int t = 0; t < threads; ++t) ASSERT_EQ(y[t], x[(t + 1) % threads]);
    }
  }
  expect_no_reports();
}

TEST_F(Emulator, WithoutBarrierOrderDecides) {
  set_options({});  // the checker would report it
  const auto x = random_floats(64, 5);
  OnDevice<float> on_x(x), on_y(64);
  ASSERT_EQ(launch_rotate(false, on_x.get(), on_y.get(), 64, nullptr), 0);
  EXPECT_TRUE(std::isnan(on_y.values()[0]));  // poison
  EXPECT_EQ(on_y.values()[63], x[0]);
  set_options({.order = Order::kReverse});
  ASSERT_EQ(launch_rotate(false, on_x.get(), on_y.get(), 64, nullptr), 0);
  EXPECT_EQ(on_y.values()[0], x[1]);
  EXPECT_TRUE(std::isnan(on_y.values()[63]));
}

TEST_F(Emulator, SharedMemoryUpToTheLimit) {
  for (size_t bytes : {size_t{1}, size_t{1000}, size_t{227 * 1024}}) {
    OnDevice<uint32_t> y(1);
    ASSERT_EQ(launch_dynamic(bytes, y.get()), 0);
    EXPECT_EQ(y.values()[0], bytes);
  }
  expect_no_reports();
}

TEST_F(Emulator, LimitsOfLaunchesAreErrors) {
  EXPECT_EQ(launch_nothing({1, 65535, 1}, {32, 1, 1}, 0), 0);
  EXPECT_EQ(launch_nothing({1, 1, 1}, {1024, 1, 1}, 227 * 1024), 0);
  EXPECT_EQ(launch_nothing({1, 65536, 1}, {32, 1, 1}, 0), kInvalidConfiguration);
  EXPECT_EQ(launch_nothing({1, 1, 65536}, {32, 1, 1}, 0), kInvalidConfiguration);
  EXPECT_EQ(launch_nothing({0, 1, 1}, {32, 1, 1}, 0), kInvalidConfiguration);
  EXPECT_EQ(launch_nothing({1, 1, 1}, {1024, 2, 1}, 0), kInvalidConfiguration);
  EXPECT_EQ(launch_nothing({1, 1, 1}, {65536, 65536, 1}, 0), kInvalidConfiguration);
  EXPECT_EQ(launch_nothing({1, 1, 1}, {1, 1, 128}, 0), kInvalidConfiguration);
  EXPECT_EQ(launch_nothing({1, 1, 1}, {33, 1, 1}, 0), kInvalidConfiguration);
  EXPECT_EQ(launch_nothing({1, 1, 1}, {32, 1, 1}, 227 * 1024 + 1), kInvalidConfiguration);
  OnDevice<float> y(32);
  EXPECT_EQ(launch_with_52_kb_static(y.get()), kInvalidConfiguration);
  EXPECT_EQ(launch_nothing({1, 1, 1}, {32, 1, 1}, 0), 0);
}

TEST_F(Emulator, RecordsAndReplaysWork) {
  namespace rt = gpu::rt;
  gpu::Stream stream = nullptr;
  ASSERT_EQ(rt::create_stream(&stream), 0);
  std::vector<float> in(100, 1.F), out(100, 0.F);
  OnDevice<float> x(100);
  ASSERT_EQ(rt::begin_capture(stream), 0);
  EXPECT_EQ(rt::begin_capture(stream), kStreamRecords);
  EXPECT_EQ(rt::synchronize(stream), kStreamRecords);
  ASSERT_EQ(rt::copy_async(x.get(), in.data(), 400, stream), 0);
  ASSERT_EQ(launch_add_one(x.get(), 100, stream), 0);
  ASSERT_EQ(launch_add_one(x.get(), 100, stream), 0);
  ASSERT_EQ(rt::copy_async(out.data(), x.get(), 400, stream), 0);
  rt::Graph graph = nullptr;
  ASSERT_EQ(rt::end_capture(stream, &graph), 0);
  EXPECT_EQ(out, std::vector<float>(100, 0.F));  // nothing was done
  for (float start : {1.F, 5.F}) {
    in.assign(100, start);
    ASSERT_EQ(rt::launch(graph, stream), 0);
    ASSERT_EQ(rt::synchronize(stream), 0);
    EXPECT_EQ(out, std::vector<float>(100, start + 2));
  }
  rt::destroy_graph(graph);
  EXPECT_EQ(rt::end_capture(stream, &graph), kInvalidValue);
  rt::destroy_stream(stream);
  expect_no_reports();
}

TEST_F(Emulator, EventsMeasureTime) {
  namespace rt = gpu::rt;
  rt::Event begin = nullptr, end = nullptr;
  ASSERT_EQ(rt::create_event(&begin), 0);
  ASSERT_EQ(rt::create_event(&end), 0);
  float ms = -1;
  EXPECT_EQ(rt::milliseconds_between(&ms, begin, end), kInvalidHandle);
  ASSERT_EQ(rt::record(begin, nullptr), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(3));
  ASSERT_EQ(rt::record(end, nullptr), 0);
  ASSERT_EQ(rt::milliseconds_between(&ms, begin, end), 0);
  EXPECT_GE(ms, 3.F);
  rt::destroy_event(begin);
  rt::destroy_event(end);
}

TEST_F(Emulator, IsOneDevice) {
  namespace rt = gpu::rt;
  int count = 0;
  ASSERT_EQ(rt::device_count(&count), 0);
  EXPECT_EQ(count, 1);
  rt::DeviceInfo info;
  ASSERT_EQ(rt::device_info(0, &info), 0);
  EXPECT_EQ(info.name, "emulated");
  EXPECT_EQ(rt::device_info(1, &info), kInvalidDevice);
  EXPECT_EQ(rt::use_device(1), kInvalidDevice);
  void* p = nullptr;
  EXPECT_TRUE(rt::is_out_of_memory(rt::allocate(&p, size_t{1} << 60)));
  EXPECT_EQ(p, nullptr);
  EXPECT_EQ(rt::error_text(kOutOfMemory), "out of memory (2)");
}

std::vector<uint32_t> schedule_with(const Options& options) {
  set_options(options);
  OnDevice<uint32_t> count(std::vector<uint32_t>{0}), order(std::vector<uint32_t>(512, 0));
  launch_schedule(count.get(), order.get(), 128);
  if (options.preempt == 0) {
    EXPECT_EQ(count.values()[0], 512U);
  }
  return order.values();
}

TEST_F(Emulator, SeedDecidesTheSchedule) {
  const Options first = {.order = Order::kRandom, .seed = 1},
                other = {.order = Order::kRandom, .seed = 2};
  EXPECT_EQ(schedule_with(first), schedule_with(first));
  EXPECT_NE(schedule_with(first), schedule_with(other));
  EXPECT_NE(schedule_with(first), schedule_with({}));
  if (kernels_are_instrumented()) {
    const Options preempt = {.preempt = 5, .check = true};
    EXPECT_EQ(schedule_with(preempt), schedule_with(preempt));
    EXPECT_NE(schedule_with(preempt), schedule_with({}));
  }
  const auto in_order = schedule_with({}), reverse = schedule_with({.order = Order::kReverse});
  EXPECT_EQ(in_order[0], 0U);
  EXPECT_EQ(in_order[33], 1U);  // a warp goes as far as it can
  EXPECT_EQ(reverse[0], 127U);
  EXPECT_EQ(reverse[33], 126U);
}

TEST_F(Emulator, ThreadsOfTheSystemLaunchAtTheSameTime) {
  const auto x = random_floats(256, 6);
  const auto work = [&](int* failures) {
    for (int i = 0; i < 50; ++i) {
      OnDevice<float> on_x(x), on_y(256);
      if (launch_rotate(true, on_x.get(), on_y.get(), 256, nullptr) != 0) ++*failures;
      if (on_y.values()[255] != x[0]) ++*failures;
    }
  };
  int failures[2] = {};
  std::thread first(work, &failures[0]), second(work, &failures[1]);
  first.join();
  second.join();
  EXPECT_EQ(failures[0] + failures[1], 0);
  expect_no_reports();
}

}  // namespace
}  // namespace penult::testing
