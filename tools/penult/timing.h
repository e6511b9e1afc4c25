#pragma once

// Taking the time of runs.

#include <cstdint>
#include <vector>

#include "penult/extractor.h"

namespace penult::program {

double median_of(std::vector<double> values);

// (n, 3, h, w) floats to time `extractor` on: what they are makes no difference.
std::vector<float> images_to_time(const Extractor& extractor, int64_t n);

struct StepTimes {
  size_t runs = 0;
  std::vector<double> median_ms;      // of each of Extractor::steps()
  std::vector<double> cumulative_ms;  // sum of the medians up to and including the step
};

struct Effort {
  double seconds = 1;   // stop after so long,
  size_t min_runs = 1;  // but not before so many runs count,
  size_t max_runs = 0;  // or after so many (0: any number)
};

// Times runs of `n` images. Those that start in the first tenth warm caches and clock up, and do
// not count, unless there is no other. Cancelled by a signal; errors of Extractor::profile.
Result<StepTimes> time_steps(Extractor& extractor, int64_t n, const Effort& effort);

}  // namespace penult::program
