#include "kernels/cuda/emulated/block_runner.h"

#include <bit>
#include <numeric>
#include <utility>

namespace penult::gpu::emulated {
namespace {

std::string in_brackets(Dim3 d) {
  return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
}

uint32_t lanes_above(unsigned lane) { return lane == 31 ? 0 : ~0U << (lane + 1); }
uint32_t lanes_below(unsigned lane) { return (1U << lane) - 1; }
unsigned lowest(uint32_t mask) { return static_cast<unsigned>(std::countr_zero(mask)); }
unsigned highest(uint32_t mask) { return 31U - static_cast<unsigned>(std::countl_zero(mask)); }

// The next one up or down, around the corner if need be.
unsigned next_up(uint32_t mask, unsigned i) {
  const uint32_t above = mask & lanes_above(i);
  return lowest(above != 0 ? above : mask);
}
unsigned next_down(uint32_t mask, unsigned i) {
  const uint32_t below = mask & lanes_below(i);
  return highest(below != 0 ? below : mask);
}

}  // namespace

constinit thread_local BlockRunner* t_runner = nullptr;

Error BlockRunner::run(const Launch& launch) {
  launch_ = &launch;
  checker_ = launch.checker;
  error_ = 0;
  given_up_ = false;
  // Odd, hence not 0, which would stay 0; spread, for xorshift is slow to do it.
  random_state_ = (launch.options.seed + 1) * 0x9e3779b97f4a7c15 | 1;
  thread_count_ = launch.block.x * launch.block.y * launch.block.z;
  shared_.begin_launch(launch.shared_bytes, checks());
  fibers_.reserve(thread_count_);
  threads_.resize(thread_count_);
  for (unsigned i = 0; i < thread_count_; ++i) {
    const unsigned row = i / launch.block.x;
    threads_[i].index = {i % launch.block.x, row % launch.block.y, row / launch.block.y};
  }
  if (checks()) checker_->begin_launch(shared_.region());
  run_grid(launch);
  return error_;
}

void BlockRunner::run_grid(const Launch& launch) {
  const Dim3 grid = launch.grid;
  const uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z;
  std::vector<uint64_t> order;
  if (launch.options.order == Order::kRandom) {
    order.resize(blocks);
    std::iota(order.begin(), order.end(), uint64_t{0});
    for (uint64_t i = blocks; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  }
  for (uint64_t i = 0; i < blocks && !given_up_; ++i) {
    const uint64_t block = !order.empty()                            ? order[i]
                           : launch.options.order == Order::kReverse ? blocks - 1 - i
                                                                     : i;
    block_index_ = {static_cast<unsigned>(block % grid.x),
                    static_cast<unsigned>(block / grid.x % grid.y),
                    static_cast<unsigned>(block / grid.x / grid.y)};
    run_block();
  }
}

void BlockRunner::run_block() {
  shared_.begin_block();
  if (checks()) checker_->begin_block();
  for (Thread& thread : threads_) thread.fiber = nullptr;
  if (defers_copies()) {
    for (Thread& thread : threads_) {
      thread.copies.copies.clear();
      thread.copies.done = thread.copies.next_group = 0;
    }
  }
  const unsigned warps = thread_count_ / kWarp;
  for (unsigned w = 0; w < warps; ++w) {
    Warp& warp = warps_[w];
    warp.ready = ~0U;
    warp.at_barrier = warp.arrived = warp.epoch = 0;
  }
  ready_warps_ = warps == kMaxWarps ? ~0U : (1U << warps) - 1;
  alive_ = thread_count_;
  at_barrier_ = 0;
  running_ = first_ready();
  start(running_);
  t_runner = this;
  outside_.switch_to(*threads_[running_].fiber);
  t_runner = nullptr;
  if (given_up_) fibers_.forget_all();
}

void BlockRunner::start(unsigned thread) {
  threads_[thread].fiber = fibers_.take();
  threads_[thread].fiber->prepare(fiber_main);
}

// A thread that ends leaves its stack to the next one that begins: threads that never wait cost no
// switch.
void BlockRunner::fiber_main() {
  BlockRunner* self = t_runner;
  Fiber* fiber = self->threads_[self->running_].fiber;
  fiber->entered(self->outside_);
  for (;;) {
    self->launch_->body();
    self->finish();
    if (self->ready_warps_ == 0) break;
    self->running_ = self->next_ready();
    if (Fiber* other = self->threads_[self->running_].fiber; other != nullptr) {
      self->fibers_.give_back(fiber);
      fiber->leave_for(*other);
    }
    self->threads_[self->running_].fiber = fiber;
  }
  if (self->alive_ != 0) {
    self->report_deadlock();
    self->give_up(kLaunchFailed);
  }
  self->fibers_.give_back(fiber);
  fiber->leave_for(self->outside_);
}

void BlockRunner::finish() {
  Thread& thread = threads_[running_];
  if (const PendingCopies& left = thread.copies;
      defers_copies() && left.done < left.copies.size()) {
    report(
        Kind::kInFlight,
        "thread ends with " + std::to_string(left.copies.size() - left.done) + " copies under way",
        left.copies[left.done].pc);
  }
  Warp& warp = warps_[running_ / kWarp];
  warp.ready &= ~(1U << running_ % kWarp);
  if (warp.ready == 0) ready_warps_ &= ~(1U << running_ / kWarp);
  --alive_;
}

// ---- Who goes on
// ----------------------------------------------------------------------------------

// xorshift64: fast, the same everywhere.
uint32_t BlockRunner::random() {
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return static_cast<uint32_t>(random_state_ >> 32);
}

unsigned BlockRunner::random_bit(uint32_t mask) {
  uint32_t skip = random() % static_cast<uint32_t>(std::popcount(mask));
  for (; skip > 0; --skip) mask &= mask - 1;
  return lowest(mask);
}

unsigned BlockRunner::first_lane(uint32_t lanes) const {
  return launch_->options.order == Order::kReverse ? highest(lanes) : lowest(lanes);
}

unsigned BlockRunner::first_ready() const {
  const unsigned warp = first_lane(ready_warps_);
  return warp * kWarp + first_lane(warps_[warp].ready);
}

// Somebody is ready. In order, a warp goes on as far as it can: its stacks stay in the cache.
unsigned BlockRunner::next_ready() {
  unsigned warp = running_ / kWarp;
  switch (launch_->options.order) {
    case Order::kInOrder:
      if (warps_[warp].ready != 0)
        return warp * kWarp + next_up(warps_[warp].ready, running_ % kWarp);
      warp = next_up(ready_warps_, warp);
      return warp * kWarp + lowest(warps_[warp].ready);
    case Order::kReverse:
      if (warps_[warp].ready != 0)
        return warp * kWarp + next_down(warps_[warp].ready, running_ % kWarp);
      warp = next_down(ready_warps_, warp);
      return warp * kWarp + highest(warps_[warp].ready);
    case Order::kRandom:
      break;
  }
  warp = random_bit(ready_warps_);
  return warp * kWarp + random_bit(warps_[warp].ready);
}

void BlockRunner::go_on_with(unsigned thread) {
  if (thread == running_) return;
  Fiber* fiber = threads_[running_].fiber;
  if (threads_[thread].fiber == nullptr) start(thread);
  running_ = thread;
  fiber->switch_to(*threads_[thread].fiber);
}

void BlockRunner::wait_for_others(Warp& warp, uint32_t lane) {
  warp.ready &= ~lane;
  if (warp.ready == 0) ready_warps_ &= ~(1U << running_ / kWarp);
  if (ready_warps_ == 0) {
    report_deadlock();
    give_up(kLaunchFailed);
  }
  go_on_with(next_ready());
}

void BlockRunner::give_up(Error error) {
  error_ = error;
  given_up_ = true;
  threads_[running_].fiber->leave_for(outside_);
}

// ---- What threads do together
// ---------------------------------------------------------------------

void BlockRunner::sync_block() {
  Warp& warp = warps_[running_ / kWarp];
  const uint32_t lane = 1U << running_ % kWarp;
  warp.at_barrier |= lane;
  // Of all threads: who has ended is waited for in vain, though GPUs may let it pass.
  if (++at_barrier_ < thread_count_) {
    wait_for_others(warp, lane);
    return;
  }
  release_barrier();
  go_on_with(launch_->options.order == Order::kRandom ? next_ready() : first_ready());
}

void BlockRunner::release_barrier() {
  for (unsigned w = 0; w < thread_count_ / kWarp; ++w) {
    Warp& warp = warps_[w];
    warp.ready |= warp.at_barrier;
    warp.at_barrier = 0;
    if (warp.ready != 0) ready_warps_ |= 1U << w;
  }
  at_barrier_ = 0;
  if (checks()) checker_->pass_barrier();
}

void BlockRunner::together(WarpOp op, void* record, Combine combine, const void* pc) {
  const unsigned w = running_ / kWarp, lane = running_ % kWarp;
  Warp& warp = warps_[w];
  if (warp.arrived == 0) {
    warp.op = op;
  } else if (warp.op != op) {
    report(Kind::kDivergence, "lanes of a warp do different things together", pc);
    give_up(kLaunchFailed);
  }
  warp.records[lane] = record;
  warp.arrived |= 1U << lane;
  if (warp.arrived != ~0U) {
    wait_for_others(warp, 1U << lane);
    return;
  }
  if (combine != nullptr) combine(warp.records, launch_->options);
  if (op == WarpOp::kSync) ++warp.epoch;
  warp.arrived = 0;
  warp.ready = ~0U;
  ready_warps_ |= 1U << w;
  go_on_with(launch_->options.order == Order::kRandom ? next_ready() : w * kWarp + first_lane(~0U));
}

void BlockRunner::report_deadlock() {
  unsigned in_warps = 0;
  for (unsigned w = 0; w < thread_count_ / kWarp; ++w)
    in_warps += static_cast<unsigned>(std::popcount(warps_[w].arrived));
  report(Kind::kDivergence,
         "deadlock: " + std::to_string(at_barrier_) + " threads wait at the barrier, " +
             std::to_string(in_warps) + " for lanes of their warps, and " +
             std::to_string(thread_count_ - alive_) + " have ended",
         nullptr);
}

// ---- Memory
// ---------------------------------------------------------------------------------------

void BlockRunner::access(const void* p, size_t bytes, Access access, const void* pc) {
  if (bytes == 0 || threads_[running_].fiber->on_stack(p) || checker_->find(p) == nullptr) return;
  const uint32_t preempt = launch_->options.preempt;
  if (preempt != 0 && random() % preempt == 0) go_on_with(next_ready());
  check_access(p, bytes, access, pc);
}

void BlockRunner::check_access(const void* p, size_t bytes, Access access, const void* pc) {
  Region* region = checker_->find(p);
  if (region == nullptr) return;
  Finding finding;
  const Actor actor = {running_, warps_[running_ / kWarp].epoch};
  if (checker_->access(*region, p, bytes, access, actor, &finding)) return;
  const bool writes = access == Access::kWrite || access == Access::kAtomicUpdate;
  std::string text = (writes ? "write of " : "read of ") + std::to_string(bytes) + " bytes at " +
                     finding.region->describe(finding.offset);
  if (finding.other_thread >= 0)
    text += ", not ordered with thread number " + std::to_string(finding.other_thread);
  report(finding.kind, std::move(text), pc);
}

void BlockRunner::set_in_flight(const void* p, size_t bytes, bool in_flight) {
  if (Region* region = checker_->find(p)) checker_->set_in_flight(*region, p, bytes, in_flight);
}

void BlockRunner::report(Kind kind, std::string text, const void* pc) {
  text +=
      "; block " + in_brackets(block_index_) + ", thread " + in_brackets(threads_[running_].index);
  if (pc != nullptr) text += ", at " + place(pc);
  add_report(kind, text);
  error_ = kLaunchFailed;
}

}  // namespace penult::gpu::emulated
