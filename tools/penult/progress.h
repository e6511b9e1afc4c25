#pragma once

#include <chrono>
#include <cstddef>

namespace penult::program {

// done/total, images/s, time left and failures on one line of stderr, if stderr is a terminal.
class Progress {
 public:
  Progress(size_t total, bool quiet);
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(size_t done, size_t failed);

 private:
  using Clock = std::chrono::steady_clock;
  size_t total_;
  bool shown_;
  Clock::time_point begin_, last_;
};

}  // namespace penult::program
