#pragma once

// The networks without published weights at hand, with weights that PyTorch and we draw from a seed
// (tests/support/seeded_weights.h), and what their goldens need. Needs no assets.

#include <iosfwd>
#include <memory>
#include <span>
#include <string>

#include "penult/model.h"
#include "tests/support/golden.h"

namespace penult::testing {

struct SeededNet {
  const char* name;  // in architectures.npz, and the golden's prefix
  int64_t size;      // the golden's input side in pixels
  bool heavy;        // the whole matrix would take minutes
  // The network ends before its end at 64 pixels, where bits are compared in every combination.
  bool needs_more_pixels = false;
};
std::span<const SeededNet> seeded_nets();
void PrintTo(const SeededNet& net, std::ostream* out);  // for messages of GoogleTest

// Null after a test failure. Drawn anew only when another network is asked for.
std::shared_ptr<const Model> seeded_model(const std::string& name);

Result<Golden> load_golden(const SeededNet& net);

}  // namespace penult::testing
