// What the checker finds and what it does not: each bug in every schedule, and nothing in kernels
// without one.

#include <cmath>

#include "tests/kernels/cuda/emulator_support.h"
#include "tests/support/error_model.h"

namespace penult::testing {
namespace {

using gpu::Half;
using namespace gpu::emulated;

class Checker : public EmulatorTest {
 protected:
  void SetUp() override {
    if (!kernels_are_instrumented()) GTEST_SKIP() << "kernels are not compiled for the checker";
  }
};

using Kinds = std::vector<Kind>;

// Runs a launch in all schedules; each must be reported as one of `kinds`, and fail.
template <class F>
void expect_always(const Kinds& kinds, F launch) {
  for (const Options& schedule : all_schedules(true)) {
    set_options(schedule);
    take_reports();
    const gpu::Error error = launch();
    const Reports reports = take_reports();
    int64_t found = 0;
    for (Kind kind : kinds) found += reports[kind];
    EXPECT_GT(found, 0) << text_of(schedule)
                        << (reports.messages.empty() ? "" : ": " + reports.messages.front());
    EXPECT_EQ(error, kLaunchFailed) << text_of(schedule);
  }
}

// The same without any report, and no error.
template <class F>
void expect_never(F launch) {
  for (const Options& schedule : all_schedules(true)) {
    set_options(schedule);
    take_reports();
    EXPECT_EQ(launch(), 0) << text_of(schedule);
    const Reports reports = take_reports();
    EXPECT_EQ(reports.total(), 0) << text_of(schedule) << ": " << reports.messages.front();
  }
}

// ---- The list of bugs
// -----------------------------------------------------------------------------

class Sgemm {
 public:
  static constexpr int kM = 50, kN = 37, kK = 41;

  gpu::Error run(SgemmBug bug) {
    OnDevice<float> a(a_), b(b_), c(static_cast<size_t>(kM * kN));
    const gpu::Error error = launch_sgemm(bug, a.get(), b.get(), c.get(), kM, kN, kK, nullptr);
    c_ = c.values();
    return error;
  }
  // A chain of kK fused multiply-adds.
  void check() const {
    for (int i = 0; i < kM * kN; ++i) {
      double exact = 0, magnitude = 0;
      for (int k = 0; k < kK; ++k) {
        const double term = static_cast<double>(a_[i / kN * kK + k]) * b_[k * kN + i % kN];
        exact += term;
        magnitude += std::fabs(term);
      }
      ASSERT_NEAR(c_[i], exact, rounding_bound(kK, magnitude)) << i;
    }
  }

 private:
  std::vector<float> a_ = random_floats(kM * kK, 1), b_ = random_floats(kK * kN, 2), c_;
};

TEST_F(Checker, TiledSgemm) {
  Sgemm sgemm;
  const auto run = [&](SgemmBug bug) { return [&sgemm, bug] { return sgemm.run(bug); }; };
  expect_never([&] {
    const gpu::Error error = sgemm.run(SgemmBug::kNone);
    sgemm.check();
    return error;
  });
  expect_always({Kind::kRace}, run(SgemmBug::kNoBarrierAfterFill));
  expect_always({Kind::kRace}, run(SgemmBug::kNoBarrierBeforeRefill));
  expect_always({Kind::kOutOfBounds}, run(SgemmBug::kNoBoundOfK));
  expect_always({Kind::kUninitialised}, run(SgemmBug::kTailNotZeroed));
}

class Average {
 public:
  static constexpr int kImages = 2, kPixels = 300, kChannels = 5;

  gpu::Error run(AverageBug bug) {
    OnDevice<Half> x(x_);
    OnDevice<float> y(std::vector<float>(kImages * kChannels, 0.F));
    const gpu::Error error =
        launch_average(bug, x.get(), y.get(), kImages, kPixels, kChannels, nullptr);
    y_ = y.values();
    return error;
  }
  // Two numbers for each thread, five sums of pairs of lanes, three of warps, a division.
  void check() const {
    for (int i = 0; i < kImages * kChannels; ++i) {
      double exact = 0, magnitude = 0;
      for (int pixel = 0; pixel < kPixels; ++pixel) {
        const double x =
            to_float(x_[(i / kChannels * kPixels + pixel) * kChannels + i % kChannels]);
        exact += x / kPixels;
        magnitude += std::fabs(x) / kPixels;
      }
      ASSERT_NEAR(y_[i], exact, rounding_bound(2 + 5 + 3 + 1, magnitude)) << i;
    }
  }

 private:
  std::vector<Half> x_ = to_halves(random_floats(kImages * kPixels * kChannels, 3));
  std::vector<float> y_;
};

TEST_F(Checker, GlobalAverage) {
  Average average;
  const auto run = [&](AverageBug bug) { return [&average, bug] { return average.run(bug); }; };
  expect_never([&] {
    const gpu::Error error = average.run(AverageBug::kNone);
    average.check();
    return error;
  });
  expect_always({Kind::kRace, Kind::kUninitialised}, run(AverageBug::kNoBarrier));
  expect_always({Kind::kDivergence}, run(AverageBug::kFiveLanes));
}

TEST_F(Checker, PipelineOfCopies) {
  constexpr int kTiles = 7, kTileWords = kPipelineThreads * 4;
  std::vector<uint32_t> x(kTiles * kTileWords);
  for (uint32_t i = 0; i < x.size(); ++i) x[i] = i * i + 1;
  std::vector<uint32_t> y;
  const auto run = [&](PipelineBug bug) {
    return [&x, &y, bug] {
      OnDevice<uint32_t> on_x(x), on_y(std::vector<uint32_t>(kPipelineThreads, 0));
      const gpu::Error error = launch_pipeline(bug, on_x.get(), on_y.get(), kTiles, nullptr);
      y = on_y.values();
      return error;
    };
  };
  expect_never([&] {
    const gpu::Error error = run(PipelineBug::kNone)();
    for (int t = 0; t < kPipelineThreads; ++t) {
      uint32_t sum = 0;
      for (int i = 0; i < kTiles * 4; ++i) sum += x[i / 4 * kTileWords + (t ^ 33) * 4 + i % 4];
      EXPECT_EQ(y[t], sum);
    }
    return error;
  });
  expect_always({Kind::kRace, Kind::kInFlight}, run(PipelineBug::kNoBarrier));
  expect_always({Kind::kInFlight}, run(PipelineBug::kWaitOffByOne));
  expect_always({Kind::kRace, Kind::kInFlight}, run(PipelineBug::kBarrierBeforeWait));
  expect_always({Kind::kRace, Kind::kInFlight}, run(PipelineBug::kRefillBeforeBarrier));
  expect_always({Kind::kInFlight}, run(PipelineBug::kEndsWithCopies));
}

// In order, the copies are there when they are read; that they came after the barrier remains.
TEST_F(Checker, CopiesAreWrittenWhereTheyAreWaitedFor) {
  const auto run = [](bool barrier) {
    return [barrier] {
      OnDevice<uint32_t> x(std::vector<uint32_t>(256, 3)), y(64);
      return launch_late_wait(barrier, x.get(), y.get());
    };
  };
  expect_never(run(true));
  expect_always({Kind::kRace, Kind::kInFlight}, run(false));
}

// ---- Rules of order
// -------------------------------------------------------------------------------

TEST_F(Checker, BarrierOrdersTheBlock) {
  const auto run = [](bool barrier) {
    return [barrier] {
      OnDevice<float> x(random_floats(64, 4)), y(64);
      return launch_rotate(barrier, x.get(), y.get(), 64, nullptr);
    };
  };
  expect_never(run(true));
  expect_always({Kind::kRace, Kind::kUninitialised}, run(false));
}

TEST_F(Checker, SyncWarpOrdersTheWarpAndNoMore) {
  const auto run = [](bool sync, int partner) {
    return [sync, partner] {
      OnDevice<float> x(random_floats(64, 4)), y(64);
      return launch_exchange(sync, x.get(), y.get(), partner);
    };
  };
  expect_never(run(true, 1));
  expect_never(run(false, 0));
  expect_always({Kind::kRace, Kind::kUninitialised}, run(false, 1));
  expect_always({Kind::kRace, Kind::kUninitialised}, run(true, 32));
}

// Whoever read last, the readers before are not forgotten.
TEST_F(Checker, WriteAfterReadsOfOthersIsARace) {
  const auto run = [](int threads, int writer, bool sync) {
    return [=] {
      OnDevice<uint32_t> y(static_cast<size_t>(threads));
      return launch_read_then_write(threads, writer, sync, y.get());
    };
  };
  for (int writer : {0, 13, 31}) {
    expect_always({Kind::kRace}, run(32, writer, false));
    expect_never(run(32, writer, true));
  }
  for (int writer : {0, 31, 32, 63}) {
    expect_always({Kind::kRace}, run(64, writer, false));
    expect_always({Kind::kRace}, run(64, writer, true));
  }
}

TEST_F(Checker, BlocksOfALaunchAreNotOrderedButLaunchesAre) {
  OnDevice<uint32_t> x(std::vector<uint32_t>{1}), y(4);
  const auto run = [&](int blocks, bool read, int writer) {
    return [&x, &y, blocks, read, writer] {
      return launch_blocks(blocks, read, writer, x.get(), y.get());
    };
  };
  expect_never(run(4, true, -1));
  expect_never(run(4, false, 2));
  expect_never(run(1, true, 0));
  for (int writer : {0, 1, 3}) expect_always({Kind::kRace}, run(4, true, writer));
  expect_never(run(4, true, -1));
}

// ---- Trouble of a single access
// -------------------------------------------------------------------

gpu::Error run_trouble(Trouble trouble, bool written) {
  constexpr int kFloats = 62;
  OnDevice<float> x(kFloats);
  const std::vector<float> ones(kFloats, 1.F);
  if (written) {
    EXPECT_EQ(gpu::rt::copy_async(x.get(), ones.data(), kFloats * sizeof(float), nullptr), 0);
  }
  return launch_trouble(trouble, x.get(), kFloats);
}

TEST_F(Checker, AccessesBesideArraysAreReported) {
  for (Trouble trouble :
       {Trouble::kReadsBehindGlobal, Trouble::kWritesBehindGlobal, Trouble::kReadsBeforeGlobal,
        Trouble::kWritesBehindShared, Trouble::kReadsAcrossEnd, Trouble::kCopiesToGlobal}) {
    SCOPED_TRACE(static_cast<int>(trouble));
    expect_always({Kind::kOutOfBounds}, [trouble] { return run_trouble(trouble, true); });
  }
}

TEST_F(Checker, ReadsOfWhatNobodyWroteAreReported) {
  for (Trouble trouble : {Trouble::kReadsShared, Trouble::kAddsToShared, Trouble::kReadsGlobal}) {
    SCOPED_TRACE(static_cast<int>(trouble));
    expect_always({Kind::kUninitialised}, [trouble] { return run_trouble(trouble, false); });
  }
  expect_never([] {
    OnDevice<float> x(std::vector<float>(64, 1.F));
    return launch_add_one(x.get(), 64, nullptr);
  });
}

TEST_F(Checker, CopiesOfTheHostAreCheckedToo) {
  OnDevice<float> x(8), y(std::vector<float>(8, 0.F));
  std::vector<float> host(16);
  namespace rt = gpu::rt;
  EXPECT_EQ(rt::copy_async(host.data(), x.get(), 4, nullptr), kLaunchFailed);
  EXPECT_EQ(take_reports()[Kind::kUninitialised], 1);
  EXPECT_EQ(rt::copy_async(x.get(), host.data(), 36, nullptr), kInvalidValue);
  EXPECT_EQ(rt::copy_async(host.data(), y.get() - 1, 4, nullptr), kInvalidValue);
  EXPECT_EQ(take_reports()[Kind::kOutOfBounds], 2);
  EXPECT_EQ(rt::copy_async(y.get(), x.get(), 16, nullptr), 0);  // not written stays not written
  EXPECT_EQ(rt::copy_async(host.data(), y.get() + 4, 16, nullptr), 0);
  EXPECT_EQ(rt::copy_async(host.data(), y.get() + 3, 4, nullptr), kLaunchFailed);
}

// Without the checker and its instrumentation, too.
TEST_F(EmulatorTest, MisalignedAccessesAreReported) {
  for (Trouble trouble :
       {Trouble::kLoads32Misaligned, Trouble::kLoads64Misaligned, Trouble::kLoads128Misaligned,
        Trouble::kStores32Misaligned, Trouble::kStores64Misaligned, Trouble::kStores128Misaligned,
        Trouble::kLdmatrixMisaligned, Trouble::kCopiesFromMisaligned,
        Trouble::kCopiesToMisaligned}) {
    SCOPED_TRACE(static_cast<int>(trouble));
    for (bool check : {false, kernels_are_instrumented()}) {
      set_options({.check = check});
      EXPECT_EQ(run_trouble(trouble, true), kLaunchFailed);
      const Reports reports = take_reports();
      EXPECT_EQ(reports[Kind::kMisaligned], trouble == Trouble::kLdmatrixMisaligned ? 2 : 1);
      EXPECT_EQ(reports.total(), reports[Kind::kMisaligned]);
    }
  }
}

// ---- Threads that wait in vain
// --------------------------------------------------------------------

TEST_F(EmulatorTest, DivergenceEndsTheLaunchAndNotTheProcess) {
  for (bool check : {false, kernels_are_instrumented()}) {
    for (Options schedule : all_schedules(check)) {
      set_options(schedule);
      for (Trouble trouble :
           {Trouble::kHalfWarpShuffles, Trouble::kEndsBeforeBarrier, Trouble::kDifferentThings}) {
        SCOPED_TRACE(text_of(schedule) + " " + std::to_string(static_cast<int>(trouble)));
        EXPECT_EQ(run_trouble(trouble, true), kLaunchFailed);
        const Reports reports = take_reports();
        EXPECT_EQ(reports[Kind::kDivergence], 1);
        EXPECT_EQ(reports.total(), 1);
        OnDevice<float> x(random_floats(1024, 7)), y(1024);
        EXPECT_EQ(launch_rotate(true, x.get(), y.get(), 1024, nullptr), 0);
        EXPECT_EQ(y.values()[1023], x.values()[0]);
      }
    }
  }
  expect_no_reports();
}

TEST_F(EmulatorTest, ReportsSayWhatAndWhere) {
  run_trouble(Trouble::kHalfWarpShuffles, true);
  run_trouble(Trouble::kLoads64Misaligned, true);
  const std::string text = gpu::rt::error_text(kLaunchFailed);
  const Reports reports = take_reports();
  ASSERT_EQ(reports.messages.size(), 2U);
  EXPECT_NE(reports.messages[0].find("deadlock: 48 threads wait at the barrier, 16 for lanes of "
                                     "their warps, and 0 have ended; block (0,0,0)"),
            std::string::npos)
      << reports.messages[0];
  EXPECT_NE(reports.messages[1].find("misaligned: 8 bytes; block (0,0,0), thread (0,0,0), at "),
            std::string::npos)
      << reports.messages[1];
  EXPECT_EQ(text, "a kernel failed: " + reports.messages[0] + " (719)");
}

}  // namespace
}  // namespace penult::testing
