#pragma once

// The goldens of this repository: tests/golden/, in the format that tools/golden/ reads and
// compares.

#include <map>
#include <string>
#include <vector>

#include "engine/output/npz_reader.h"
#include "tools/golden/golden.h"

namespace penult::testing {

using namespace penult::golden;  // NOLINT(google-build-using-namespace)

inline constexpr double kMaxProbabilityError = 1e-3;

// tests/golden/<name>.npz, if its SHA-256 is the one in MANIFEST (else ChecksumMismatch).
Result<Golden> load_golden(const std::string& name);

// Those that MANIFEST names, without architectures.npz.
std::vector<std::string> golden_names();

// All arrays of tests/golden/<name>.npz, on the same condition.
Result<std::map<std::string, NpyArray>> read_golden_arrays(const std::string& name);

}  // namespace penult::testing
