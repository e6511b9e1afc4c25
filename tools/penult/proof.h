#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "engine/model/model_data.h"
#include "penult/model.h"
#include "tools/penult/trial.h"

namespace penult::program {

// How far the values of a tap are from others that should be the same.
struct Agreement {
  double cosine = 1;
  double error = 0;  // largest |difference| / largest |value| of the tap
};

// A tap at which roundings grow beyond the tolerance, as the network's weights have it.
struct Amplified {
  std::string tap;
  double error = 0;  // between the backends, as in Agreement
  double moved = 0;  // what moved weights and a moved input (moved.h) do to the tap
};

struct Proof {
  Side side;  // of the input
  int taps = 0;
  Agreement worst;        // of all taps within the tolerance
  std::string worst_tap;  // of the error; empty if there is none
  std::vector<Amplified> amplified;
};

// Runs the net at trial_side() through `native`, each tap with everything before it as fused as it
// gets when the output is taken, and through `reference`. A tap beyond 1 - 1e-6 or 1e-4 is accepted
// if weights and input that are moved (moved.h) change it at least as much in `reference`: what
// `native` has is then as good as the answer for numbers that float32 cannot tell from the given
// ones (backward stability: Higham, 1.5). ModelInvalid otherwise, Cancelled after a signal.
Result<Proof> prove_kernels(const std::shared_ptr<const Model>& model);

// The same for other kernels: `run` yields the taps that are called so.
using KernelRun = std::function<Result<Trial>(const std::string& taps,
                                              const std::vector<float>& input, const Side& side)>;
Result<Proof> prove(const std::shared_ptr<const Model>& model, const KernelRun& run);

struct ProvenModel {
  AtomicFile file;  // to be committed: destroyed without, it leaves nothing behind
  std::shared_ptr<const Model> model;
  Proof proof;
};

// Writes the model under a temporary name, loads that file and proves it: so the proof is one of
// what was written, and needs no room for the weights as they were imported.
Result<ProvenModel> write_proven(ModelData imported, const std::string& path, Existing existing);

}  // namespace penult::program
