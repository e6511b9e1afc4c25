#pragma once

#include <memory>
#include <string>

#include "engine/base/file.h"
#include "engine/model/model_data.h"
#include "penult/model.h"
#include "tools/penult/trial.h"

namespace penult::program {

// The worst agreement over all taps of a model between two backends.
struct Proof {
  Side side;  // of the input
  int taps = 0;
  double cosine = 1;      // smallest
  double error = 0;       // largest |difference| / largest |value| of the tap
  std::string worst_tap;  // of `error`
};

// Runs the net at trial_side() through `native`, each tap with everything before it as fused as it
// gets when the output is taken, and through `reference`. ModelInvalid beyond 1 - 1e-6 or 1e-4,
// Cancelled after a signal.
Result<Proof> prove_kernels(const std::shared_ptr<const Model>& model);

struct ProvenModel {
  AtomicFile file;  // to be committed: destroyed without, it leaves nothing behind
  std::shared_ptr<const Model> model;
  Proof proof;
};

// Writes the model under a temporary name, loads that file and proves it: so the proof is one of
// what was written, and needs no room for the weights as they were imported.
Result<ProvenModel> write_proven(ModelData imported, const std::string& path, Existing existing);

}  // namespace penult::program
