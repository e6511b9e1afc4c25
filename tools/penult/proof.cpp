#include "tools/penult/proof.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/model/writer.h"
#include "tools/penult/moved.h"
#include "tools/penult/signals.h"

namespace penult::program {
namespace {

constexpr double kMinCosine = 1 - 1e-6, kMaxError = 1e-4;

Agreement agreement_of(const std::vector<float>& got, const std::vector<float>& want) {
  double dot = 0, got2 = 0, want2 = 0, largest = 0, error = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double g = got[i], w = want[i];
    dot += g * w;
    got2 += g * g;
    want2 += w * w;
    largest = std::max(largest, std::abs(w));
    // A NaN compares as no difference, so it is made the worst one.
    error = std::isfinite(g) && std::isfinite(w) ? std::max(error, std::abs(g - w)) : INFINITY;
    if (std::isinf(error)) return {0, INFINITY};
  }
  const double norm = std::sqrt(got2 * want2);
  return {norm > 0 ? dot / norm : (got2 == want2 ? 1.0 : 0.0), error == 0 ? 0 : error / largest};
}

bool is_close(const Agreement& agreement) {
  return agreement.cosine >= kMinCosine && agreement.error <= kMaxError;
}

void keep_worst(const Agreement& agreement, Agreement& worst) {
  worst.cosine = std::min(worst.cosine, agreement.cosine);
  worst.error = std::max(worst.error, agreement.error);
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

// By tap of `want`, the worst of the runs that have it.
Result<std::vector<Agreement>> compare_runs(const Model& model, const KernelRun& run,
                                            const Trial& want, const std::vector<float>& input,
                                            const Side& side) {
  std::map<std::string, size_t> numbers;
  for (size_t i = 0; i < want.outputs.size(); ++i) numbers[want.outputs[i].name] = i;
  std::vector<Agreement> by_tap(want.outputs.size());
  for (const std::string& taps : taps_to_run(model, want.outputs.back().name)) {
    PENULT_ASSIGN_OR_RETURN(const Trial got, run(taps, input, side));
    for (size_t i = 0; i < got.outputs.size(); ++i) {
      const size_t tap = numbers.at(got.outputs[i].name);
      keep_worst(agreement_of(got.values[i], want.values[tap]), by_tap[tap]);
    }
  }
  return by_tap;
}

// By tap, how far moved numbers take it: the furthest of a few draws, since one may happen to
// cancel.
Result<std::vector<Agreement>> measure_moves(const std::shared_ptr<const Model>& model,
                                             const Trial& want, const std::vector<float>& input,
                                             const Side& side) {
  constexpr uint32_t kDraws = 4;
  std::vector<Agreement> by_tap(want.outputs.size());
  for (uint32_t draw = 0; draw < kDraws; ++draw) {
    PENULT_ASSIGN_OR_RETURN(const auto other, moved(*model, draw));
    PENULT_ASSIGN_OR_RETURN(const Trial got,
                            run_backend(other, "reference", "all", moved(input, draw), side));
    for (size_t i = 0; i < by_tap.size(); ++i) {
      keep_worst(agreement_of(got.values[i], want.values[i]), by_tap[i]);
    }
  }
  return by_tap;
}

Status disagrees(const std::string& tap, const Agreement& got, const Agreement& moved) {
  return {
      StatusCode::kModelInvalid,
      concat("kernels and reference disagree at tap ", quote(tap), ": max error ", got.error,
             " of the tap's maximum, expected at most ", kMaxError, ", cosine ", got.cosine,
             ", and the network does not amplify roundings that much: weights and input moved by ",
             kMove, " of themselves move the tap by ", moved.error, ", cosine ", moved.cosine,
             "; a fault of penult, please report it; nothing was written")};
}

// Sorts the taps into those within the tolerance and those that the network amplifies.
Status judge(const std::shared_ptr<const Model>& model, const Trial& want,
             const std::vector<Agreement>& by_tap, const std::vector<float>& input, Proof& proof) {
  std::vector<size_t> beyond;
  for (size_t i = 0; i < by_tap.size(); ++i) {
    if (!is_close(by_tap[i])) {
      beyond.push_back(i);
      continue;
    }
    if (by_tap[i].error >= proof.worst.error) proof.worst_tap = want.outputs[i].name;
    keep_worst(by_tap[i], proof.worst);
  }
  if (beyond.empty()) return {};
  PENULT_ASSIGN_OR_RETURN(const auto moves, measure_moves(model, want, input, proof.side));
  for (const size_t i : beyond) {
    const std::string& tap = want.outputs[i].name;
    const Agreement& got = by_tap[i];
    if (got.error > moves[i].error || got.cosine < moves[i].cosine) {
      return disagrees(tap, got, moves[i]);
    }
    proof.amplified.push_back({tap, got.error, moves[i].error});
  }
  return {};
}

}  // namespace

Result<Proof> prove_kernels(const std::shared_ptr<const Model>& model) {
  return prove(model,
               [&](const std::string& taps, const std::vector<float>& input, const Side& side) {
                 return run_backend(model, "native", taps, input, side);
               });
}

Result<Proof> prove(const std::shared_ptr<const Model>& model, const KernelRun& run) {
  Proof proof;
  proof.side = trial_side(*model);
  const std::vector<float> input = trial_input(proof.side);
  PENULT_ASSIGN_OR_RETURN(const Trial want,
                          run_backend(model, "reference", "all", input, proof.side));
  proof.taps = static_cast<int>(want.outputs.size());
  PENULT_ASSIGN_OR_RETURN(const auto by_tap, compare_runs(*model, run, want, input, proof.side));
  PENULT_RETURN_IF_ERROR(judge(model, want, by_tap, input, proof));
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
