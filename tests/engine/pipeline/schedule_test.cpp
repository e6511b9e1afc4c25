#include "engine/pipeline/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace penult {
namespace {

using Kind = PipelineTask::Kind;

// Plays workers that finish their pieces of work in a random order.
struct Play {
  size_t inputs = 0;
  int workers = 1;
  int64_t rows_in_batch = 1;
  int nets = 1;
  double failure_rate = 0;
  uint32_t seed = 1;

  // What came out.
  std::vector<size_t> order = {};     // inputs as they were written
  std::vector<bool> failed = {};      // of each input
  std::vector<int64_t> batches = {};  // rows of each run of the net
  size_t most_slots = 0;              // taken at a time
  int most_runs = 0;                  // of the net at a time
  bool loads_beside_a_run = false;

  std::mt19937 random = {};
  std::set<int> taken = {};  // slots

  void run();
  void finish(PipelineSchedule& schedule, const PipelineTask& task);
};

void Play::finish(PipelineSchedule& schedule, const PipelineTask& task) {
  if (task.kind == Kind::kLoad) {
    EXPECT_TRUE(taken.insert(task.item->slot).second) << "a slot is used twice";
    most_slots = std::max(most_slots, taken.size());
    const bool fails = std::uniform_real_distribution<>(0, 1)(random) < failure_rate;
    failed[task.item->input] = fails;
    if (fails) taken.erase(task.item->slot);
    schedule.loaded(*task.item, fails ? Status(StatusCode::kImageCorrupt, "x") : Status());
  } else if (task.kind == Kind::kRun) {
    batches.push_back(task.batch->rows);
    for (const PipelineItem& item : task.batch->items) taken.erase(item.slot);
    schedule.release_slots(*task.batch);
    schedule.ran(*task.batch, {});
  } else {
    for (const PipelineItem& item : task.batch->items) {
      order.push_back(item.input);
      EXPECT_EQ(item.status.ok(), !failed[item.input]);
    }
    schedule.wrote({});
  }
}

void Play::run() {
  random.seed(seed);
  failed.assign(inputs, false);
  PipelineSchedule schedule(inputs, workers, rows_in_batch, nets);
  std::vector<PipelineTask> in_hand;
  for (size_t steps = 0; steps < 100 * inputs + 100; ++steps) {
    while (in_hand.size() < static_cast<size_t>(workers)) {
      const PipelineTask task = schedule.next();
      if (task.kind == Kind::kFinished && in_hand.empty()) return;
      if (task.kind == Kind::kWait || task.kind == Kind::kFinished) break;
      in_hand.push_back(task);
      const auto is_run = [](const PipelineTask& t) { return t.kind == Kind::kRun; };
      const auto runs = static_cast<int>(std::count_if(in_hand.begin(), in_hand.end(), is_run));
      most_runs = std::max(most_runs, runs);
      loads_beside_a_run |= runs > 0 && task.kind == Kind::kLoad;
    }
    ASSERT_FALSE(in_hand.empty()) << "all wait for each other";
    const size_t pick = random() % in_hand.size();
    const PipelineTask task = in_hand[pick];
    in_hand.erase(in_hand.begin() + static_cast<std::ptrdiff_t>(pick));
    finish(schedule, task);
  }
  FAIL() << "it does not end";
}

std::vector<size_t> counted(size_t count) {
  std::vector<size_t> numbers(count);
  for (size_t i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

TEST(PipelineSchedule, BringsEveryInputToItsEndOnceAndInOrder) {
  for (const size_t inputs : {0, 1, 2, 7, 8, 9, 300}) {
    for (const int workers : {1, 2, 3, 16}) {
      for (const int64_t rows : {1, 4, 8}) {
        for (const double rate : {0.0, 0.25, 0.9, 1.0}) {
          for (const int nets : {1, workers}) {
            Play play{.inputs = inputs,
                      .workers = workers,
                      .rows_in_batch = rows,
                      .nets = nets,
                      .failure_rate = rate,
                      .seed = static_cast<uint32_t>(inputs + rows)};
            ASSERT_NO_FATAL_FAILURE(play.run()) << inputs << " inputs, " << workers << " workers, "
                                                << nets << " nets, " << rows << " rows, " << rate;
            EXPECT_EQ(play.order, counted(inputs));
            EXPECT_LE(play.most_slots, static_cast<size_t>(2 * rows + workers));
            EXPECT_LE(play.most_runs, nets);
            for (const int64_t batch : play.batches) {
              EXPECT_GE(batch, 1);
              EXPECT_LE(batch, rows);
            }
          }
        }
      }
    }
  }
}

TEST(PipelineSchedule, FillsBatchesAcrossFailures) {
  Play play{.inputs = 800, .workers = 1, .rows_in_batch = 8, .failure_rate = 0.25};
  ASSERT_NO_FATAL_FAILURE(play.run());
  const auto full = std::count(play.batches.begin(), play.batches.end(), 8);
  EXPECT_GE(full, static_cast<long>(play.batches.size()) - 1);
}

TEST(PipelineSchedule, SharesOutTheEnd) {
  Play play{.inputs = 8, .workers = 4, .rows_in_batch = 8, .nets = 4};
  ASSERT_NO_FATAL_FAILURE(play.run());
  EXPECT_GE(play.batches.size(), 4u);  // and not one worker for all eight
}

TEST(PipelineSchedule, FillsBatchesOfAnySizeForOneNetWhileItRuns) {
  Play play{.inputs = 450, .workers = 4, .rows_in_batch = 100, .nets = 1};
  ASSERT_NO_FATAL_FAILURE(play.run());
  EXPECT_EQ(play.batches, (std::vector<int64_t>{100, 100, 100, 100, 50}));
  EXPECT_TRUE(play.loads_beside_a_run);
  EXPECT_EQ(play.most_runs, 1);
}

TEST(PipelineSchedule, HandsOverFailuresWithoutWaitingForRows) {
  PipelineSchedule schedule(1'000'000, 1, 8, 1);
  size_t loaded = 0;
  for (;; ++loaded) {
    const PipelineTask task = schedule.next();
    if (task.kind != Kind::kLoad) break;
    schedule.loaded(*task.item, {StatusCode::kImageCorrupt, "x"});
  }
  EXPECT_LE(loaded, 100u);
}

// One input takes for ever: the others go on until there is no more room, and no further.
TEST(PipelineSchedule, BoundsWhatWaitsBehindASlowInput) {
  for (const bool others_fail : {false, true}) {
    PipelineSchedule schedule(1'000'000, 2, 8, 2);
    const PipelineTask slow = schedule.next();
    size_t loaded = 0;
    for (PipelineTask task = schedule.next(); task.kind == Kind::kLoad; task = schedule.next()) {
      schedule.loaded(*task.item, others_fail ? Status(StatusCode::kIo, "x") : Status());
      ASSERT_LE(++loaded, 100u);
    }
    schedule.loaded(*slow.item, {});
    EXPECT_NE(schedule.next().kind, Kind::kWait);
  }
}

TEST(PipelineSchedule, HandsOutNothingOnceItIsStopped) {
  PipelineSchedule schedule(10, 2, 4, 2);
  const PipelineTask task = schedule.next();
  schedule.stop({StatusCode::kCancelled, "first"});
  schedule.stop({StatusCode::kIo, "second"});
  EXPECT_EQ(schedule.next().kind, Kind::kFinished);
  schedule.loaded(*task.item, {});
  EXPECT_EQ(schedule.next().kind, Kind::kFinished);
  EXPECT_EQ(schedule.status().message(), "first");
}

}  // namespace
}  // namespace penult
