#include "tools/penult/proof.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "penult/extractor.h"

namespace penult::program {
namespace {

constexpr int64_t kSide = 64;  // pixels: every layer does real work, in well under a second
constexpr double kMinCosine = 1 - 1e-6, kMaxError = 1e-4;

struct Run {
  std::vector<OutputInfo> outputs;
  std::vector<std::vector<float>> values;
};

Result<Run> run_backend(const std::shared_ptr<const Model>& model, const std::string& backend,
                        const std::vector<std::string>& taps, const std::vector<float>& input) {
  ExtractorOptions options;
  options.taps = taps;
  options.pooling = Pooling::kNone;
  options.max_batch = 1;
  options.backend = backend;
  options.input_h = options.input_w = kSide;
  PENULT_ASSIGN_OR_RETURN(auto extractor, Extractor::create(model, options));
  Run run;
  run.outputs = extractor->outputs();
  std::vector<std::span<float>> features;
  for (const OutputInfo& output : run.outputs) run.values.emplace_back(output.elems);
  for (auto& values : run.values) features.emplace_back(values);
  PENULT_RETURN_IF_ERROR(extractor->run(input, 1, features));
  return run;
}

void compare(const std::string& tap, const std::vector<float>& got, const std::vector<float>& want,
             Proof& proof) {
  double dot = 0, got2 = 0, want2 = 0, largest = 0, error = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double g = got[i], w = want[i];
    dot += g * w;
    got2 += g * g;
    want2 += w * w;
    largest = std::max(largest, std::abs(w));
    // A NaN compares as no difference, so it is made the worst one.
    error = std::isfinite(g) && std::isfinite(w) ? std::max(error, std::abs(g - w)) : INFINITY;
    if (std::isinf(error)) break;
  }
  const double relative = error == 0 ? 0 : error / largest;
  const double norm = std::sqrt(got2 * want2);
  proof.cosine = std::min(proof.cosine, norm > 0 ? dot / norm : (got2 == want2 ? 1.0 : 0.0));
  if (relative >= proof.error) {
    proof.error = relative;
    proof.worst_tap = tap;
  }
}

}  // namespace

Result<Proof> prove_kernels(const std::shared_ptr<const Model>& model) {
  std::mt19937 random(20240229);
  std::vector<float> input(3 * kSide * kSide);
  // Uniform in [-2, 2), as normalised pixels are; spelled out, since distributions differ by
  // library.
  for (float& x : input) x = static_cast<float>(random() >> 8) * (4.0f / 16777216.0f) - 2.0f;

  // Asking for every tap switches fusion off, so the blocks are also run without the rest.
  Proof proof;
  PENULT_ASSIGN_OR_RETURN(const Run want, run_backend(model, "reference", {"all"}, input));
  proof.taps = static_cast<int>(want.outputs.size());
  for (const char* taps : {"all", "blocks", "penultimate"}) {
    PENULT_ASSIGN_OR_RETURN(const Run got, run_backend(model, "native", {taps}, input));
    for (size_t i = 0; i < got.outputs.size(); ++i) {
      const std::string& name = got.outputs[i].name;
      const auto found = std::find_if(want.outputs.begin(), want.outputs.end(),
                                      [&](const OutputInfo& o) { return o.name == name; });
      compare(name, got.values[i], want.values[found - want.outputs.begin()], proof);
    }
  }
  if (proof.cosine < kMinCosine || proof.error > kMaxError) {
    return Status(StatusCode::kModelInvalid,
                  concat("kernels and reference disagree at tap ", quote(proof.worst_tap),
                         ": max error ", proof.error, " of the tap's maximum, expected at most ",
                         kMaxError, ", cosine ", proof.cosine, "; nothing was written"));
  }
  return proof;
}

}  // namespace penult::program
