#include "tools/penult/trial.h"

#include <random>
#include <utility>

#include "engine/base/check.h"

namespace penult::program {

Side trial_side(const Model& model) {
  constexpr Side kSmall = {64, 64};
  // What Model::taps says of sizes at which shapes do not fit.
  const bool fits = model.taps(kSmall.h, kSmall.w).status().code() != StatusCode::kInvalidArgument;
  return fits ? kSmall : Side{model.input_h(), model.input_w()};
}

std::vector<float> trial_input(const Side& side) {
  std::mt19937 random(20240229);
  std::vector<float> input(static_cast<size_t>(3 * side.h * side.w));
  // Spelled out, since distributions differ by library.
  for (float& x : input) x = static_cast<float>(random() >> 8) * (4.0f / 16777216.0f) - 2.0f;
  return input;
}

Result<Trial> run_trial(const std::shared_ptr<const Model>& model, ExtractorOptions options,
                        const std::vector<float>& input, const Side& side) {
  options.pooling = Pooling::kNone;
  options.max_batch = 1;
  options.input_h = side.h;
  options.input_w = side.w;
  PENULT_ASSIGN_OR_RETURN(auto extractor, Extractor::create(model, options));
  Trial trial;
  trial.outputs = extractor->outputs();
  std::vector<std::span<float>> features;
  for (const OutputInfo& output : trial.outputs) trial.values.emplace_back(output.elems);
  for (auto& values : trial.values) features.emplace_back(values);
  PENULT_RETURN_IF_ERROR(extractor->run(input, 1, features));
  return trial;
}

}  // namespace penult::program
