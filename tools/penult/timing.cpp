#include "tools/penult/timing.h"

#include <algorithm>
#include <chrono>

#include "engine/base/check.h"
#include "tools/penult/signals.h"

namespace penult::program {

double median_of(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

std::vector<float> images_to_time(const Extractor& extractor, int64_t n) {
  std::vector<float> images(n * 3 * extractor.input_h() * extractor.input_w());
  for (size_t i = 0; i < images.size(); ++i) {
    images[i] = static_cast<float>(i % 251) / 125.0f - 1.0f;
  }
  return images;
}

Result<StepTimes> time_steps(Extractor& extractor, int64_t n, const Effort& effort) {
  using Clock = std::chrono::steady_clock;
  const std::vector<float> images = images_to_time(extractor, n);
  std::vector<std::vector<float>> features;
  for (const OutputInfo& output : extractor.outputs()) features.emplace_back(n * output.elems);
  const std::vector<std::span<float>> spans(features.begin(), features.end());
  std::vector<double> step_ms(extractor.steps().size());
  std::vector<std::vector<double>> times(step_ms.size());  // by step and run
  StepTimes result;
  const auto begin = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  bool warm = false;
  while (seconds() < effort.seconds || result.runs < effort.min_runs) {
    if (effort.max_runs != 0 && result.runs >= effort.max_runs) break;
    PENULT_RETURN_IF_ERROR(check_signals());
    if (!warm && result.runs > 0) {  // what came before was the warming up
      for (auto& of_step : times) of_step.clear();
      result.runs = 0;
    }
    warm = seconds() >= effort.seconds / 10;
    PENULT_RETURN_IF_ERROR(extractor.profile(images, n, spans, step_ms));
    for (size_t s = 0; s < step_ms.size(); ++s) times[s].push_back(step_ms[s]);
    ++result.runs;
  }
  double sum = 0;
  for (const std::vector<double>& of_step : times) {
    result.median_ms.push_back(median_of(of_step));
    result.cumulative_ms.push_back(sum += result.median_ms.back());
  }
  return result;
}

}  // namespace penult::program
