#pragma once

// Runs of a net on fixed pseudo-random input, to be compared with other runs.

#include <memory>
#include <string>
#include <vector>

#include "penult/extractor.h"
#include "penult/model.h"

namespace penult::program {

struct Side {
  int64_t h = 0, w = 0;
};

// 64 x 64, where every layer of most nets does real work in well under a second, or the model's own
// size if it cannot run at that.
Side trial_side(const Model& model);

// (3, h, w), uniform in [-2, 2), as normalised pixels are: the same on every machine.
std::vector<float> trial_input(const Side& side);

struct Trial {
  std::vector<OutputInfo> outputs;
  std::vector<std::vector<float>> values;  // by output
};

// Complete maps of the taps in options.taps; sizes, pooling and batch are set here.
Result<Trial> run_trial(const std::shared_ptr<const Model>& model, ExtractorOptions options,
                        const std::vector<float>& input, const Side& side);

}  // namespace penult::program
