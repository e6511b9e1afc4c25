#include "tools/penult/proof.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/model/writer.h"
#include "tools/penult/signals.h"

namespace penult::program {
namespace {

constexpr double kMinCosine = 1 - 1e-6, kMaxError = 1e-4;

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

Result<Trial> run_backend(const std::shared_ptr<const Model>& model, const char* backend,
                          const std::string& tap, const std::vector<float>& input,
                          const Side& side) {
  PENULT_RETURN_IF_ERROR(check_signals());
  ExtractorOptions options;
  options.taps = {tap};
  options.backend = backend;
  return run_trial(model, options, input, side);
}

// Asking for every tap switches fusion off, so the blocks are also run without the rest, and the
// last of all. Not every net has all of these names.
std::vector<std::string> taps_to_run(const Model& model, const std::string& last) {
  std::vector<std::string> taps = {"all"};
  for (const std::string& name : {std::string("blocks"), std::string("penultimate"), last}) {
    if (model.resolve(name).ok()) taps.push_back(name);
  }
  return taps;
}

}  // namespace

Result<Proof> prove_kernels(const std::shared_ptr<const Model>& model) {
  Proof proof;
  proof.side = trial_side(*model);
  const std::vector<float> input = trial_input(proof.side);
  PENULT_ASSIGN_OR_RETURN(const Trial want,
                          run_backend(model, "reference", "all", input, proof.side));
  proof.taps = static_cast<int>(want.outputs.size());
  for (const std::string& taps : taps_to_run(*model, want.outputs.back().name)) {
    PENULT_ASSIGN_OR_RETURN(const Trial got, run_backend(model, "native", taps, input, proof.side));
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

Result<ProvenModel> write_proven(ModelData imported, const std::string& path, Existing existing) {
  PENULT_ASSIGN_OR_RETURN(AtomicFile file, write_temporary_model(imported, path, existing));
  imported = {};
  PENULT_ASSIGN_OR_RETURN(auto model, Model::load(file.temporary_path()));
  PENULT_ASSIGN_OR_RETURN(Proof proof, prove_kernels(model));
  PENULT_RETURN_IF_ERROR(check_signals());
  return ProvenModel{std::move(file), std::move(model), std::move(proof)};
}

}  // namespace penult::program
