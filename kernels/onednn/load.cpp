// Part of the library, which knows of oneDNN no more than the name of a file.

#include "kernels/onednn/load.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::kernels {
namespace {

constexpr const char* kFile = "penult_onednn.so";

Status unavailable(const std::string& why, const char* remedy) {
  return Status(StatusCode::kDevice, concat("backend onednn: ", escape_name(why), "; ", remedy));
}

// Two files can be missing: the module, and the library that it needs.
Status cannot_open(const char* error) {
  const std::string why = error != nullptr ? error : "dlopen failed";
  if (why.find("libdnnl") != std::string::npos)
    return unavailable(why, "install oneDNN: apt-get install libdnnl2");
  return unavailable(
      why, "install libdnnl-dev, then build all targets (cmake --build --preset release)");
}

}  // namespace

Result<const BackendModule*> load_backend_module(const std::string& path, Isa isa) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return cannot_open(dlerror());
  // From here on never closed: OpenMP threads would run on in code that is gone.
  auto* function = reinterpret_cast<BackendModuleFunction*>(dlsym(handle, kBackendModuleSymbol));
  if (function == nullptr)
    return unavailable(concat(path, " is no module of penult"), "unset PENULT_ONEDNN_MODULE");
  const BackendModule* module = function(isa);
  if (!(module->stamp == ModuleStamp{}))
    return unavailable(concat(path, " is of another build of penult"), "build it again");
  return module;
}

Result<const BackendModule*> load_onednn() {
  static std::mutex mutex;
  static const BackendModule* module = nullptr;
  const std::lock_guard lock(mutex);
  if (module == nullptr) {
    const char* path = std::getenv("PENULT_ONEDNN_MODULE");
    PENULT_ASSIGN_OR_RETURN(const Isa isa, usable_isa());
    const bool is_set = path != nullptr && *path != '\0';
    PENULT_ASSIGN_OR_RETURN(module, load_backend_module(is_set ? path : kFile, isa));
  }
  return module;
}

}  // namespace penult::kernels
