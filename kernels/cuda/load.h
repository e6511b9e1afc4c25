#pragma once

#include "kernels/load_module.h"

namespace penult::kernels {

// The module of device cuda: PENULT_CUDA_MODULE, else penult_cuda.so (LazyModule).
Result<const BackendModule*> load_cuda();
// Of device emulated: PENULT_EMULATED_MODULE, else penult_emulated.so.
Result<const BackendModule*> load_emulated();

}  // namespace penult::kernels
