#pragma once

// What penult inspect finds out about a model by planning it and running it.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penult/extractor.h"
#include "penult/model.h"

namespace penult::program {

// One image, one thread, backend native. Where something cannot be said there is none, and a note
// says why: inspect is run on files that nobody trusts, and the rest of it is still worth having.
struct TapCosts {
  std::vector<std::optional<uint64_t>> ram_bytes;  // of a run up to the tap and no further
  std::vector<std::optional<double>> ms;           // of the last tap's steps up to this tap
  size_t runs = 0;                                 // that were measured
  std::vector<StepInfo> steps;                     // of a run up to the last tap
  std::string isa;
  std::vector<std::string> notes;
};

// `taps` are the model's. Measures for about a second if `measure`; finds the steps if `steps`.
// Cancelled by a signal; InvalidArgument if the environment asks for an ISA class that there is
// not.
Result<TapCosts> find_tap_costs(const std::shared_ptr<const Model>& model,
                                const std::vector<TapInfo>& taps, bool measure, bool steps);

}  // namespace penult::program
