#pragma once

#define PENULT_VERSION_MAJOR 0
#define PENULT_VERSION_MINOR 1
#define PENULT_VERSION_PATCH 0

namespace penult {

/// The library's version as "major.minor.patch" (Semantic Versioning).
const char* version();

}  // namespace penult
