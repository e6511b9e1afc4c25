#pragma once

#include <mutex>
#include <string>

#include "kernels/backend_module.h"

namespace penult::kernels {

// Where the module of a backend or a device lies, and what to say if it does not.
struct ModuleFile {
  const char* who;                                  // what an error begins with: "backend onednn"
  const char* file;                                 // "penult_onednn.so"
  const char* variable;                             // environment variable that names another file
  const char* (*remedy)(const std::string& error);  // what to install, given dlopen's words
};

// Opens any file as a module; never closed, for threads of its library may run on. Device, with
// what to do, if there is none, or it is of another build: if `path` is not `module.file`, the
// variable named it, and it is the variable that needs another value. A file that
// is no whole shared library is refused before the loader maps it.
Result<const BackendModule*> open_module(const ModuleFile& module, const std::string& path,
                                         Isa isa);

// A module that is loaded at the first call and never unloaded: from the path in the environment
// variable if that is set, else from the places where the program looks for its libraries (its
// RUNPATH, LD_LIBRARY_PATH, the system's; under a sanitizer, whose dlopen() has a RUNPATH of its
// own, the latter two). Thread-safe. After an error the next call tries again.
class LazyModule {
 public:
  explicit LazyModule(const ModuleFile& module) : module_(module) {}
  Result<const BackendModule*> load();

 private:
  const ModuleFile& module_;
  std::mutex mutex_;
  const BackendModule* loaded_ = nullptr;
};

}  // namespace penult::kernels
