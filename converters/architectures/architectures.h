#pragma once

#include "converters/importer.h"

namespace penult::converters {

// One file each; the order in which they are asked is in architectures.cpp.
extern const Architecture kMobilenetV2, kTfEfficientnetLite0;

}  // namespace penult::converters
