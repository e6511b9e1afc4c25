#pragma once

#include <string>

#include "kernels/backend_module.h"

namespace penult::kernels {

// The module of backend onednn, loaded at the first call and never unloaded: from the path in the
// environment variable PENULT_ONEDNN_MODULE if that is set, else penult_onednn.so from the places
// where the program looks for its libraries (its RUNPATH, LD_LIBRARY_PATH, the system's; under a
// sanitizer, whose dlopen() has a RUNPATH of its own, the latter two). Thread-safe. Device, with
// what to install, if there is none; the next call tries again.
Result<const BackendModule*> load_onednn();

// The same for any file, not remembered.
Result<const BackendModule*> load_backend_module(const std::string& path, Isa isa);

}  // namespace penult::kernels
