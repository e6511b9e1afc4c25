// penult doctor: what this machine offers, and why not the rest.

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/text.h"
#include "engine/image/image.h"
#include "kernels/backend_module.h"
#include "kernels/probe/probe.h"
#include "penult/version.h"
#include "tools/penult/command.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

// The best of several short rounds, in GFLOP/s: a machine that others use loses some of them.
double fma_peak(Isa isa) {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t kRounds = 2'000'000;
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const auto begin = Clock::now();
    const auto operations = static_cast<double>(kernels::run_fma_probe(isa, kRounds));
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::max(best, operations / seconds * 1e-9);
  }
  return best;
}

// Of the first device of a module.
Result<std::string> device_name(const kernels::ModuleEntry& entry) {
  PENULT_ASSIGN_OR_RETURN(const kernels::BackendModule* module, entry.load());
  PENULT_ASSIGN_OR_RETURN(const auto device, module->open_device(0));
  if (module->check_backend != nullptr)
    PENULT_RETURN_IF_ERROR(module->check_backend(entry.backend));
  if (entry.device == kernels::DeviceKind::kEmulated)
    return std::string("the CUDA kernels on this cpu, slow");
  return device->name();
}

Outcome doctor(bool probe) {
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
  for (const kernels::ModuleEntry& entry : kernels::all_modules()) {
    if (entry.device != kernels::DeviceKind::kCpu) continue;
    const auto module = entry.load();
    print_out("backend  {:10} {}\n", kernels::backend_name(entry.backend),
              module.ok() ? concat("yes: ", (*module)->library)
                          : concat("no: ", module.status().message()));
  }
  print_out("device   {:10} yes\n", "cpu");
  for (const kernels::ModuleEntry& entry : kernels::all_modules()) {
    if (entry.device == kernels::DeviceKind::kCpu) continue;
    const auto name = device_name(entry);
    const bool native = entry.backend == kernels::Backend::kNative;
    print_out(
        "{}  {:10} {}\n", native ? "device " : "backend",
        native ? kernels::device_kind_name(entry.device) : kernels::backend_name(entry.backend),
        name.ok() ? "yes: " + *name : "no: " + name.status().message());
  }
  print_out("images   {}\n", readable_kinds());
  if (probe) print_out("probe    {:10} {:.1f} GFLOP/s on one core\n", "fma", fma_peak(usable));
  return {};
}

}  // namespace

std::function<Outcome()> declare_doctor(CLI::App& app) {
  auto probe = std::make_shared<bool>(false);
  app.add_flag("--probe", *probe, "also measure the peak rate of multiply-adds");
  return [probe] { return doctor(*probe); };
}

}  // namespace penult::program
