#include "kernels/onednn/load.h"

namespace penult::kernels {
namespace {

// Two files can be missing: the module, and the library that it needs.
const char* remedy(const std::string& error) {
  if (error.find("libdnnl") != std::string::npos) return "install oneDNN: apt-get install libdnnl2";
  return "install libdnnl-dev, then build all targets (cmake --build --preset release)";
}

constexpr ModuleFile kModule = {.who = "backend onednn",
                                .file = "penult_onednn.so",
                                .variable = "PENULT_ONEDNN_MODULE",
                                .remedy = remedy};

}  // namespace

Result<const BackendModule*> load_backend_module(const std::string& path, Isa isa) {
  return open_module(kModule, path, isa);
}

Result<const BackendModule*> load_onednn() {
  static LazyModule module(kModule);
  return module.load();
}

}  // namespace penult::kernels
