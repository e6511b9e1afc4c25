#include "engine/pipeline/schedule.h"

#include <algorithm>
#include <utility>

namespace penult {
namespace {

// Failures are handed over no later than so many inputs after they happened, or a batch of rows.
constexpr size_t kMaxItemsInBatch = 64;
// Inputs that are loaded or failed behind one that is not, for each slot.
constexpr size_t kPendingPerSlot = 4;

using State = PipelineBatch::State;
using Kind = PipelineTask::Kind;

}  // namespace

// Two batches of slots: one fills while the other waits for a worker.
PipelineSchedule::PipelineSchedule(size_t inputs, int workers, int64_t rows_in_batch, int nets)
    : inputs_(inputs),
      rows_in_batch_(rows_in_batch),
      nets_(nets),
      slots_(static_cast<int>(2 * rows_in_batch) + workers),
      open_(std::make_unique<PipelineBatch>()) {
  for (int i = 0; i < slots_; ++i) free_slots_.push_back(i);
}

// Near the end what is left is shared out: equal bits in batches of any size let all nets end
// together.
int64_t PipelineSchedule::wanted_rows() const {
  if (next_input_ < inputs_) return rows_in_batch_;
  const int64_t left = open_->rows + static_cast<int64_t>(pending_.size());
  return std::clamp<int64_t>((left + nets_ - 1) / nets_, 1, rows_in_batch_);
}

void PipelineSchedule::close_batch() {
  if (open_->rows == 0) open_->state = State::kComputed;
  batches_.push_back(std::move(open_));
  open_ = std::make_unique<PipelineBatch>();
}

void PipelineSchedule::form_batches() {
  const auto most = static_cast<size_t>(2 * nets_ + 1);
  const auto most_items = std::max(kMaxItemsInBatch, static_cast<size_t>(rows_in_batch_));
  while (batches_.size() < most) {
    const bool ended = next_input_ == inputs_ && pending_.empty();
    if (open_->rows >= wanted_rows() || open_->items.size() >= most_items ||
        (ended && !open_->items.empty())) {
      close_batch();
      continue;
    }
    if (pending_.empty() || !pending_.front()->loaded) return;
    PipelineItem& item = *pending_.front();
    if (item.status.ok()) ++open_->rows;
    open_->items.push_back(std::move(item));
    pending_.pop_front();
  }
}

PipelineTask PipelineSchedule::load_next() {
  const bool room = !free_slots_.empty() && pending_.size() < kPendingPerSlot * slots_;
  if (next_input_ == inputs_ || !room) return {};
  pending_.push_back(std::make_unique<PipelineItem>());
  PipelineItem& item = *pending_.back();
  item.input = next_input_++;
  item.slot = free_slots_.back();
  free_slots_.pop_back();
  return {.kind = Kind::kLoad, .item = &item};
}

PipelineTask PipelineSchedule::next() {
  if (!status_.ok()) return {.kind = Kind::kFinished};
  form_batches();
  if (!batches_.empty() && batches_.front()->state == State::kComputed) {
    batches_.front()->state = State::kWriting;
    return {.kind = Kind::kWrite, .batch = batches_.front().get()};
  }
  for (const auto& batch : batches_) {
    if (batch->state != State::kFormed || running_ == nets_) continue;
    batch->state = State::kRunning;
    ++running_;
    return {.kind = Kind::kRun, .batch = batch.get()};
  }
  const bool all_written = batches_.empty() && open_->items.empty() && pending_.empty();
  if (all_written && next_input_ == inputs_) return {.kind = Kind::kFinished};
  return load_next();
}

void PipelineSchedule::loaded(PipelineItem& item, Status status) {
  item.loaded = true;
  item.status = std::move(status);
  if (item.status.ok()) return;
  free_slots_.push_back(std::exchange(item.slot, -1));
}

void PipelineSchedule::release_slots(PipelineBatch& batch) {
  for (PipelineItem& item : batch.items) {
    if (item.slot >= 0) free_slots_.push_back(std::exchange(item.slot, -1));
  }
}

void PipelineSchedule::ran(PipelineBatch& batch, Status status) {
  batch.state = State::kComputed;
  --running_;
  if (!status.ok()) stop(std::move(status));
}

void PipelineSchedule::wrote(Status status) {
  batches_.pop_front();
  if (!status.ok()) stop(std::move(status));
}

void PipelineSchedule::stop(Status why) {
  if (status_.ok()) status_ = std::move(why);
}

}  // namespace penult
