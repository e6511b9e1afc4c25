#include "engine/base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

namespace penult {
namespace {

template <typename F>
void run(ThreadPool& pool, F f) {
  const Status status =
      pool.run([](void* context, int thread) { (*static_cast<F*>(context))(thread); }, &f);
  EXPECT_TRUE(status.ok()) << status.message();
}

std::unique_ptr<ThreadPool> make_pool(int threads) {
  auto pool = ThreadPool::create(threads);
  EXPECT_TRUE(pool.ok()) << pool.status().message();
  return std::move(pool).value();
}

TEST(ThreadPool, CallsEveryThreadNumberOnceARun) {
  for (const int threads : {1, 2, 3, 8}) {
    const auto pool = make_pool(threads);
    EXPECT_EQ(pool->threads(), threads);
    std::vector<int> calls(static_cast<size_t>(threads));  // plain: run() must order the accesses
    for (int i = 0; i < 200; ++i) run(*pool, [&](int t) { ++calls[static_cast<size_t>(t)]; });
    EXPECT_EQ(calls, std::vector<int>(static_cast<size_t>(threads), 200)) << threads;
  }
}

TEST(ThreadPool, TheCallerIsThreadZero) {
  const auto pool = make_pool(3);
  std::vector<std::thread::id> ids(3);
  run(*pool, [&](int t) { ids[static_cast<size_t>(t)] = std::this_thread::get_id(); });
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[1], ids[2]);
}

TEST(ThreadPool, BarrierMakesEarlierWritesOfAllThreadsVisible) {
  constexpr int kThreads = 5, kSteps = 100;  // more threads than this machine may have processors
  const auto pool = make_pool(kThreads);
  std::vector<int> written(kThreads);
  std::vector<int> wrong(kThreads);
  run(*pool, [&](int t) {
    for (int step = 1; step <= kSteps; ++step) {
      written[static_cast<size_t>(t)] = step;
      pool->barrier(t);
      for (const int w : written) wrong[static_cast<size_t>(t)] += w != step;
      pool->barrier(t);
    }
  });
  EXPECT_EQ(wrong, std::vector<int>(kThreads, 0));
}

TEST(ThreadPool, WakesThreadsThatFellAsleepBetweenRuns) {
  const auto pool = make_pool(2);
  std::vector<int> calls(2);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    run(*pool, [&](int t) { ++calls[static_cast<size_t>(t)]; });
  }
  EXPECT_EQ(calls, std::vector<int>(2, 5));
}

TEST(ThreadPool, WaitsForASlowThread) {
  const auto pool = make_pool(4);
  std::vector<int> done(4);
  run(*pool, [&](int t) {
    if (t == 2) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pool->barrier(t);
    if (t == 3) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    done[static_cast<size_t>(t)] = 1;
  });
  EXPECT_EQ(done, std::vector<int>(4, 1));
}

TEST(ThreadPool, IdleOrUnusedPoolsEndAtOnce) {
  make_pool(4);
  const auto pool = make_pool(4);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

TEST(ThreadPool, IndependentPoolsWorkSideBySide) {
  std::vector<int> sums(4);
  std::vector<std::thread> users;
  for (size_t user = 0; user < sums.size(); ++user) {
    users.emplace_back([&sums, user] {
      const auto pool = make_pool(2);
      std::vector<int> calls(2);
      for (int i = 0; i < 50; ++i) run(*pool, [&](int t) { ++calls[static_cast<size_t>(t)]; });
      sums[user] = calls[0] + calls[1];
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(sums, std::vector<int>(4, 100));
}

// ThreadSanitizer forbids threads in a child of a threaded process.
#ifndef __SANITIZE_THREAD__
TEST(ThreadPool, AChildAfterForkStartsThreadsOfItsOwn) {
  auto pool = make_pool(3);
  run(*pool, [](int) {});
  for (const bool uses_it : {true, false}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(10);  // a hang is a failure
      std::vector<int> calls(3);
      ThreadPool* inherited = pool.release();
      for (int i = 0; uses_it && i < 5; ++i) {
        run(*inherited, [&](int t) { ++calls[static_cast<size_t>(t)]; });
      }
      delete inherited;
      _exit(calls == std::vector<int>(3, uses_it ? 5 : 0) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  run(*pool, [](int) {});  // the parent's own threads are still there
}
#endif

TEST(ThreadPool, RefusesCountsThatMakeNoSense) {
  EXPECT_EQ(ThreadPool::create(0).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ThreadPool::create(-3).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ThreadPool::create(1025).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace penult
