// penult doctor: what this machine offers, and why not the rest.

#include <cstdlib>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/text.h"
#include "kernels/onednn/load.h"
#include "penult/version.h"
#include "tools/penult/command.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

Outcome doctor() {
  PENULT_ASSIGN_OR_RETURN(const Isa usable, usable_isa());
  const char* cap = std::getenv("PENULT_ISA_MAX");
  print_out("penult {}\n", version());
  for (const Isa isa : all_isas()) {
    const char* why = !is_supported(isa)           ? "no: this processor lacks it"
                      : isa == usable              ? "yes, in use"
                      : isa == Isa::kPortable16    ? "yes, for tests: PENULT_LANES=portable16"
                      : usable == Isa::kPortable16 ? "no: PENULT_LANES is set"
                      : isa > usable               ? "no: capped by PENULT_ISA_MAX"
                                                   : "yes";
    print_out("isa      {:10} {}\n", isa_name(isa), why);
  }
  print_out("limit    PENULT_ISA_MAX {}\n", cap == nullptr ? "is not set" : escape_name(cap));
  print_out("threads  {:<10} processors that this process may use\n", usable_cpus());
  print_out("backend  {:10} yes, the default (auto)\n", "native");
  print_out("backend  {:10} yes, slow: the oracle\n", "reference");
  const auto onednn = kernels::load_onednn();
  print_out("backend  {:10} {}\n", "onednn",
            onednn.ok() ? concat("yes: ", (*onednn)->library)
                        : concat("no: ", onednn.status().message()));
  print_out("device   {:10} yes\n", "cpu");
  print_out("device   {:10} no: not built into this version\n", "cuda");
  return {};
}

}  // namespace

std::function<Outcome()> declare_doctor(CLI::App&) { return doctor; }

}  // namespace penult::program
