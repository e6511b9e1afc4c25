#include "tools/penult/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace penult::program {

Progress::Progress(size_t total, bool quiet)
    : total_(total), shown_(!quiet && ::isatty(STDERR_FILENO) == 1), begin_(Clock::now()) {}

Progress::~Progress() {
  if (shown_) std::fputc('\n', stderr);
}

void Progress::update(size_t done, size_t failed) {
  if (!shown_) return;
  const auto now = Clock::now();
  if (done < total_ && now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const double left = rate > 0 ? static_cast<double>(total_ - done) / rate : 0;
  // Not fmt::print, which throws once the terminal is gone.
  std::fputs(fmt::format("\r{}/{} images  {:.1f}/s  {:.0f} s left  {} failed ", done, total_, rate,
                         left, failed)
                 .c_str(),
             stderr);
  std::fflush(stderr);
}

}  // namespace penult::program
