#pragma once

// What penult verify compares a model with.

#include <string>
#include <vector>

#include "converters/importer.h"
#include "penult/model.h"
#include "tools/golden/golden.h"
#include "tools/penult/trial.h"

namespace penult::program {

struct Expected {
  std::vector<golden::GoldenTap> taps = {};
  std::vector<float> input = {};  // (3, side.h, side.w)
  Side side = {};
  // Of a network, not of a golden: what it is, and why there are no taps, if there are none.
  std::string network = {}, not_comparable = {};

  bool is_of_network() const { return !network.empty(); }
};

// Of a golden (.npz), a weight file that can be imported, or a model. The reference executor
// computes those of a network on trial_input(), for each tap of `model` of whose names (its own and
// its aliases) one is there, too. 64 x 64, or the size of one of them if not both can run at that.
Result<Expected> read_expected(const std::string& path, const converters::ImportOptions& options,
                               const Model& model);

}  // namespace penult::program
