// Part of the library, which knows of a module no more than the name of a file.

#include "kernels/load_module.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::kernels {
namespace {

Status unavailable(const ModuleFile& module, const std::string& why, const std::string& remedy) {
  return Status(StatusCode::kDevice, concat(module.who, ": ", escape_name(why), "; ", remedy));
}

}  // namespace

Result<const BackendModule*> open_module(const ModuleFile& module, const std::string& path,
                                         Isa isa) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* error = dlerror();
    const std::string why = error != nullptr ? error : "dlopen failed";
    return unavailable(module, why, module.remedy(why));
  }
  auto* function = reinterpret_cast<BackendModuleFunction*>(dlsym(handle, kBackendModuleSymbol));
  if (function == nullptr)
    return unavailable(module, concat(path, " is no module of penult"),
                       concat("unset ", module.variable));
  const BackendModule* loaded = function(isa);
  if (!(loaded->stamp == ModuleStamp{}))
    return unavailable(module, concat(path, " is of another build of penult"), "build it again");
  if (std::string_view(loaded->file) != module.file)
    return unavailable(module, concat(path, " is another module, ", loaded->file),
                       concat("unset ", module.variable));
  return loaded;
}

Result<const BackendModule*> LazyModule::load() {
  const std::lock_guard lock(mutex_);
  if (loaded_ == nullptr) {
    const char* path = std::getenv(module_.variable);
    PENULT_ASSIGN_OR_RETURN(const Isa isa, usable_isa());
    const bool is_set = path != nullptr && *path != '\0';
    PENULT_ASSIGN_OR_RETURN(loaded_, open_module(module_, is_set ? path : module_.file, isa));
  }
  return loaded_;
}

}  // namespace penult::kernels
