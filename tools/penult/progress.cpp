#include "tools/penult/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

namespace penult::program {
namespace {

// Not fmt::print, which throws once the terminal is gone.
void print_error_stream(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

struct Speed {
  double images_per_s = 0, seconds_left = 0;
};

Speed speed_of(size_t done, size_t total, double seconds) {
  if (done == 0 || seconds <= 0) return {};
  const double rate = static_cast<double>(done) / seconds;
  return {rate, static_cast<double>(total - done) / rate};
}

std::string terminal_line(const RunCounts& counts, size_t total, const Speed& speed) {
  // The escape at the end clears what is left of a longer line.
  return fmt::format("\r{}/{} images  {:.1f}/s  {:.0f} s left  {} failed  limited by: {}\x1b[K",
                     counts.done, total, speed.images_per_s, speed.seconds_left, counts.failed,
                     limiting_stage(counts.seconds));
}

std::string json_line(const RunCounts& counts, size_t total, const Speed& speed) {
  nlohmann::ordered_json line = {
      {"done", counts.done},         {"total", total},
      {"failed", counts.failed},     {"images_per_s", speed.images_per_s},
      {"eta_s", speed.seconds_left}, {"stage", limiting_stage(counts.seconds)}};
  for (size_t i = 0; i < counts.seconds.size(); ++i) {
    line["stage_s"][kPipelineStageNames[i]] = counts.seconds[i];
  }
  return line.dump() + "\n";
}

}  // namespace

Progress::Progress(size_t total, ProgressKind kind)
    : total_(total), kind_(kind), begin_(Clock::now()), last_(begin_) {
  if (kind_ == ProgressKind::kTerminal && ::isatty(STDERR_FILENO) != 1) kind_ = ProgressKind::kNone;
}

Progress::~Progress() {
  if (kind_ == ProgressKind::kTerminal) std::fputc('\n', stderr);
}

void Progress::update(const RunCounts& counts) {
  if (kind_ == ProgressKind::kNone) return;
  const bool terminal = kind_ == ProgressKind::kTerminal;
  const auto pause = std::chrono::milliseconds(terminal ? 100 : 1000);
  const auto now = Clock::now();
  if (counts.done < total_ && now - last_ < pause) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const Speed speed = speed_of(counts.done, total_, seconds);
  print_error_stream(terminal ? terminal_line(counts, total_, speed)
                              : json_line(counts, total_, speed));
}

const char* limiting_stage(const PipelineSeconds& seconds) {
  return kPipelineStageNames[std::max_element(seconds.begin(), seconds.end()) - seconds.begin()];
}

std::string stage_shares(const PipelineSeconds& seconds) {
  const double all = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  std::string text;
  for (size_t i = 0; i < seconds.size(); ++i) {
    text += fmt::format("{}{} {:.0f} %", i > 0 ? ", " : "", kPipelineStageNames[i],
                        all > 0 ? 100 * seconds[i] / all : 0);
  }
  return text;
}

}  // namespace penult::program
