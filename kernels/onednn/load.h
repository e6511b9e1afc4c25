#pragma once

#include <string>

#include "kernels/load_module.h"

namespace penult::kernels {

// The module of backend onednn: PENULT_ONEDNN_MODULE, else penult_onednn.so (LazyModule).
Result<const BackendModule*> load_onednn();

// The same for any file, not remembered.
Result<const BackendModule*> load_backend_module(const std::string& path, Isa isa);

}  // namespace penult::kernels
