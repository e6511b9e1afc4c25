#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "engine/pipeline/pipeline.h"

namespace penult::program {

enum class ProgressKind {
  kNone,
  kTerminal,  // one line that is written over, if stderr is a terminal
  kJson,      // one object a line, about once a second, and one at the end
};

// What a run has done so far.
struct RunCounts {
  size_t done = 0, failed = 0;  // inputs; failed ones are done, too
  PipelineSeconds seconds = {};
};

// done/total, images/s, time left, failures and the stage that limits, on stderr.
class Progress {
 public:
  Progress(size_t total, ProgressKind kind);
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(const RunCounts& counts);

 private:
  using Clock = std::chrono::steady_clock;
  size_t total_;
  ProgressKind kind_;
  Clock::time_point begin_, last_;
};

// The stage in which the workers spent most of their time.
const char* limiting_stage(const PipelineSeconds& seconds);
// "read 1 %, decode 30 %, ...": of the time of all workers together.
std::string stage_shares(const PipelineSeconds& seconds);

}  // namespace penult::program
