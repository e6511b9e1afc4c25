#pragma once

#include <string>

namespace penult::converters {

// What is known of a published weight file.
struct KnownWeights {
  const char* sha256;   // hex, of the file
  const char* name;     // of the weight set
  const char* licence;  // SPDX identifier, copyright and origin
};

// Null if the file is not a known one.
const KnownWeights* find_known_weights(const std::string& sha256);

}  // namespace penult::converters
