#include "kernels/cuda/load.h"

namespace penult::kernels {
namespace {

constexpr ModuleFile kCuda = {
    .who = "device cuda",
    .file = "penult_cuda.so",
    .variable = "PENULT_CUDA_MODULE",
    .remedy = [](const std::string&) {
      return "install the CUDA toolkit (nvcc), then build all targets (cmake --build --preset "
             "release)";
    }};
constexpr ModuleFile kEmulated = {.who = "device emulated",
                                  .file = "penult_emulated.so",
                                  .variable = "PENULT_EMULATED_MODULE",
                                  .remedy = [](const std::string&) {
                                    return "build all targets (cmake --build --preset release)";
                                  }};

}  // namespace

Result<const BackendModule*> load_cuda() {
  static LazyModule module(kCuda);
  return module.load();
}

Result<const BackendModule*> load_emulated() {
  static LazyModule module(kEmulated);
  return module.load();
}

}  // namespace penult::kernels
