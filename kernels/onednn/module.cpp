// What the shared object penult_onednn exports: one function.

#include <array>
#include <string>

#include "engine/base/text.h"
#include "kernels/backend_module.h"
#include "kernels/onednn/tables.h"
#include "kernels/onednn/threads.h"

namespace penult::kernels {
namespace {

// oneDNN's levels for ours. Uncapped it takes the best that the processor has.
void cap_isa(Isa isa) {
  if (isa == Isa::kPortable16 || isa >= detected_isa()) return;
  dnnl::set_max_cpu_isa(isa == Isa::kAvx2 ? dnnl::cpu_isa::avx2 : dnnl::cpu_isa::sse41);
}

std::string library_name() {
  const dnnl_version_t& v = *dnnl_version();
  return concat("oneDNN ", v.major, ".", v.minor, ".", v.patch);
}

BackendModule make_module() {
  // Order as the operators' names.
  static const std::array tables = {onednn::kAvgPool2dTable, onednn::kConv2dTable,
                                    onednn::kGlobalAvgPoolTable, onednn::kLinearTable,
                                    onednn::kMaxPool2dTable};
  static const std::string library = library_name();
  return {.stamp = {},
          .file = "penult_onednn.so",
          .library = library.c_str(),
          .tables = tables,
          .run_team = onednn::run_team,
          .check_process = onednn::check_process};
}

}  // namespace
}  // namespace penult::kernels

extern "C" __attribute__((visibility("default"))) const penult::kernels::BackendModule*
penult_backend_module(penult::Isa isa) {
  static const bool capped = (penult::kernels::cap_isa(isa), true);
  static_cast<void>(capped);
  static const penult::kernels::BackendModule module = penult::kernels::make_module();
  return &module;
}
