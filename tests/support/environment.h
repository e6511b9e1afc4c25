#pragma once

#include <cstdlib>
#include <optional>
#include <string>

#include "engine/base/cpu_features.h"

namespace penult::testing {

// Sets an environment variable, or with nullptr removes it, for as long as the object lives. Not
// thread-safe.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~ScopedVariable() { set(before_ ? before_->c_str() : nullptr); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  void set(const char* value) {
    if (value != nullptr) {
      ::setenv(name_, value, 1);
    } else {
      ::unsetenv(name_);
    }
  }

  const char* name_;
  std::optional<std::string> before_;
};

// Makes extractors use the kernels of one class, as a user would.
class ScopedIsa {
 public:
  explicit ScopedIsa(Isa isa)
      : lanes_("PENULT_LANES", isa == Isa::kPortable16 ? isa_name(isa) : nullptr),
        cap_("PENULT_ISA_MAX", isa == Isa::kPortable16 ? nullptr : isa_name(isa)) {}

 private:
  ScopedVariable lanes_, cap_;
};

}  // namespace penult::testing
