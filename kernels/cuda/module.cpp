// What the shared objects penult_cuda and penult_emulated export: one function, and the emulated
// one another for tests.

#include <vector>

#include "kernels/backend_module.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/row.h"
#include "kernels/cuda/tables.h"
#if defined(PENULT_WITH_CUDNN)
#include "kernels/cuda/cudnn/tables.h"
#endif
#if defined(PENULT_GPU_EMULATED)
#include "kernels/cuda/emulated/faults.h"
#endif

namespace {

// The library's rows first: plans pass them by unless it was asked for.
std::vector<penult::kernels::Table> module_tables() {
  std::vector<penult::kernels::Table> tables;
#if defined(PENULT_WITH_CUDNN)
  const auto library = penult::kernels::cudnn::cudnn_tables();
  tables.assign(library.begin(), library.end());
#endif
  const auto ours = penult::kernels::cuda::gpu_tables();
  tables.insert(tables.end(), ours.begin(), ours.end());
  return tables;
}

penult::Status check_backend(penult::kernels::Backend backend) {
  if (backend != penult::kernels::Backend::kCudnn) return {};
#if defined(PENULT_WITH_CUDNN)
  return penult::kernels::cudnn::check_libraries();
#else
  return {penult::StatusCode::kDevice,
          "backend cudnn: this module was built without it; install cuDNN with its headers, then "
          "build it again"};
#endif
}

}  // namespace

#if defined(PENULT_GPU_EMULATED)
extern "C" __attribute__((visibility("default"))) const penult::gpu::emulated::TestHooks*
penult_emulated_test_hooks() {
  return &penult::gpu::emulated::test_hooks();
}
#endif

extern "C" __attribute__((visibility("default"))) const penult::kernels::BackendModule*
penult_backend_module(penult::Isa) {
  using namespace penult::kernels;
#if defined(PENULT_GPU_EMULATED)
  constexpr const char* kLibrary = "the CUDA kernels on the CPU";
  constexpr const char* kFile = "penult_emulated.so";
#else
  constexpr const char* kLibrary = "CUDA kernels";
  constexpr const char* kFile = "penult_cuda.so";
#endif
  static const std::vector<Table> tables = module_tables();
  static const BackendModule module = {.stamp = {},
                                       .file = kFile,
                                       .library = kLibrary,
                                       .tables = tables,
                                       .run_team = nullptr,
                                       .check_process = nullptr,
                                       .open_device = cuda::open_device,
                                       .check_backend = check_backend,
                                       .channel_pad = cuda::kGpuPad};
  return &module;
}
