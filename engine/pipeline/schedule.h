#pragma once

// Which piece of work comes next when images become features: the state of a pipeline without its
// threads. Not thread-safe: who shares it holds a lock around each call.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "penult/status.h"

namespace penult {

// One input on its way.
struct PipelineItem {
  size_t input = 0;
  bool loaded = false;  // or failed: `status` says which
  int slot = -1;        // where its pixels are kept; -1: it has none (any more)
  Status status = {};
};

// Consecutive inputs that go through the net together, failures among them.
struct PipelineBatch {
  enum class State { kFormed, kRunning, kComputed, kWriting };
  State state = State::kFormed;
  std::vector<PipelineItem> items;
  int64_t rows = 0;                          // items that did not fail
  std::vector<std::vector<float>> features;  // of each tap, as the net delivered them
};

struct PipelineTask {
  enum class Kind {
    kWait,      // nothing to do before another worker finishes something
    kLoad,      // item: read, decode, resize into its slot
    kRun,       // batch: the net
    kWrite,     // batch: hand over, in the order of the inputs
    kFinished,  // the pipeline has ended
  };
  Kind kind = Kind::kWait;
  PipelineItem* item = nullptr;
  PipelineBatch* batch = nullptr;
};

// The rule: what is furthest on its way goes first (write, then run, then load), so that little
// waits; a worker never waits while there is something to do and room for it. Slots bound the
// pictures that wait for the net, and the number of batches bounds the features that wait to be
// written, whatever is slow.
class PipelineSchedule {
 public:
  // `rows_in_batch`: images of one run of the net. `nets`: runs at a time, at most `workers`.
  PipelineSchedule(size_t inputs, int workers, int64_t rows_in_batch, int nets);

  int slots() const { return slots_; }
  PipelineTask next();

  // What next() gave is done. `status`: why the input failed, or why the pipeline must stop.
  void loaded(PipelineItem& item, Status status);
  void ran(PipelineBatch& batch, Status status);
  void wrote(Status status);  // the one batch that is being written: the first
  // The pixels in the slots of a batch are no longer needed.
  void release_slots(PipelineBatch& batch);

  // No further work is handed out. The first reason stays.
  void stop(Status why);
  const Status& status() const { return status_; }

 private:
  int64_t wanted_rows() const;
  void form_batches();
  void close_batch();
  PipelineTask load_next();

  const size_t inputs_;
  const int64_t rows_in_batch_;
  const int nets_;
  const int slots_;
  int running_ = 0;  // batches that are in the net
  size_t next_input_ = 0;
  std::vector<int> free_slots_;
  std::deque<std::unique_ptr<PipelineItem>> pending_;  // in the order of the inputs
  std::unique_ptr<PipelineBatch> open_;                // fills up
  std::deque<std::unique_ptr<PipelineBatch>> batches_;
  Status status_;
};

}  // namespace penult
