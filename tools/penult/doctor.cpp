// penult doctor: what this machine offers, and why not the rest.

#include <fmt/format.h>

#include <cstdlib>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/text.h"
#include "penult/version.h"
#include "tools/penult/command.h"

namespace penult::program {
namespace {

Outcome doctor() {
  PENULT_ASSIGN_OR_RETURN(const Isa usable, usable_isa());
  const char* cap = std::getenv("PENULT_ISA_MAX");
  fmt::print("penult {}\n", version());
  for (const Isa isa : all_isas()) {
    const char* why = isa > detected_isa() ? "no: this processor lacks it"
                      : isa > usable       ? "no: capped by PENULT_ISA_MAX"
                      : isa == usable      ? "yes, in use"
                                           : "yes";
    fmt::print("isa      {:10} {}\n", isa_name(isa), why);
  }
  fmt::print("isa      {:10} no: not built into this version\n", "avx512");
  fmt::print("limit    PENULT_ISA_MAX {}\n", cap == nullptr ? "is not set" : escape_name(cap));
  fmt::print("threads  {:<10} processors that this process may use\n", usable_cpus());
  fmt::print("backend  {:10} yes, the default (auto)\n", "native");
  fmt::print("backend  {:10} yes, slow: the oracle\n", "reference");
  fmt::print("backend  {:10} no: not built into this version\n", "onednn");
  fmt::print("device   {:10} yes\n", "cpu");
  fmt::print("device   {:10} no: not built into this version\n", "cuda");
  return {};
}

}  // namespace

std::function<Outcome()> declare_doctor(CLI::App&) { return doctor; }

}  // namespace penult::program
