#include "kernels/cuda/cudnn/library.h"

#include <dlfcn.h>

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::kernels::cudnn {
namespace {

constexpr const char* kCudnnFile = "libcudnn.so.9";
// Of CUDA 13 and 12: what is used of it is the same in both.
constexpr const char* kCublasLtFiles[] = {"libcublasLt.so.13", "libcublasLt.so.12"};

constexpr const char* kInstallCudnn =
    "install cuDNN 9 (https://developer.nvidia.com/cudnn-downloads, or pip install "
    "nvidia-cudnn-cu13) and name its folder in LD_LIBRARY_PATH if it is not the system's";
constexpr const char* kInstallCublasLt =
    "install cuBLAS of CUDA 12 or 13 (part of the CUDA toolkit, or pip install nvidia-cublas) and "
    "name its folder in LD_LIBRARY_PATH if it is not the system's";

constexpr size_t kOldestCudnn = 90000, kOldestCublasLt = 120000;

Status unavailable(const std::string& why, const char* remedy) {
  return Status(StatusCode::kDevice, concat("backend cudnn: ", escape_name(why), "; ", remedy));
}

// An open file, and the first name that it lacked.
struct Symbols {
  void* handle;
  const char* missing = nullptr;

  template <class Function>
  void take(Function* function, const char* name) {
    *function = reinterpret_cast<Function>(dlsym(handle, name));
    if (*function == nullptr && missing == nullptr) missing = name;
  }
};

// Never closed: both libraries start threads and register handlers for the end of the process.
Result<Symbols> open(const char* file, const char* remedy) {
  void* handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return Symbols{handle};
  const char* error = dlerror();
  return unavailable(error != nullptr ? error : "dlopen failed", remedy);
}

Status check_symbols(const Symbols& symbols, const char* file, const char* remedy) {
  if (symbols.missing == nullptr) return {};
  return unavailable(concat(file, " has no ", symbols.missing), remedy);
}

Status check_version(const char* file, size_t version, size_t oldest, const char* remedy) {
  if (version >= oldest) return {};
  return unavailable(concat(file, " is version ", version, ", need ", oldest, " or later"), remedy);
}

StatusCode code_of(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED:
    case CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED:
      return StatusCode::kOutOfMemory;
    default:
      break;
  }
  switch (static_cast<int>(status) / 1000 * 1000) {  // the kinds of cuDNN 9
    case CUDNN_STATUS_BAD_PARAM:
    case CUDNN_STATUS_NOT_SUPPORTED:
    case CUDNN_STATUS_INTERNAL_ERROR:  // one engine's, such as machine code that does not compile
      return kRefusesLayer;
    default:
      return StatusCode::kDevice;
  }
}

StatusCode code_of(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_ALLOC_FAILED:
      return StatusCode::kOutOfMemory;
    case CUBLAS_STATUS_INVALID_VALUE:
    case CUBLAS_STATUS_ARCH_MISMATCH:
    case CUBLAS_STATUS_INTERNAL_ERROR:
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return kRefusesLayer;
    default:
      return StatusCode::kDevice;
  }
}

}  // namespace

Result<Cudnn> open_cudnn(const char* file) {
  PENULT_ASSIGN_OR_RETURN(Symbols symbols, open(file, kInstallCudnn));
  Cudnn cudnn{};
  symbols.take(&cudnn.get_version, "cudnnGetVersion");
  symbols.take(&cudnn.get_error_string, "cudnnGetErrorString");
  symbols.take(&cudnn.get_last_error_string, "cudnnGetLastErrorString");
  symbols.take(&cudnn.create, "cudnnCreate");
  symbols.take(&cudnn.destroy, "cudnnDestroy");
  symbols.take(&cudnn.set_stream, "cudnnSetStream");
  symbols.take(&cudnn.create_descriptor, "cudnnBackendCreateDescriptor");
  symbols.take(&cudnn.destroy_descriptor, "cudnnBackendDestroyDescriptor");
  symbols.take(&cudnn.finalize, "cudnnBackendFinalize");
  symbols.take(&cudnn.set_attribute, "cudnnBackendSetAttribute");
  symbols.take(&cudnn.get_attribute, "cudnnBackendGetAttribute");
  symbols.take(&cudnn.execute, "cudnnBackendExecute");
  PENULT_RETURN_IF_ERROR(check_symbols(symbols, file, kInstallCudnn));
  cudnn.version = cudnn.get_version();
  PENULT_RETURN_IF_ERROR(check_version(file, cudnn.version, kOldestCudnn, kInstallCudnn));
  return cudnn;
}

Result<CublasLt> open_cublaslt(const char* file) {
  PENULT_ASSIGN_OR_RETURN(Symbols symbols, open(file, kInstallCublasLt));
  CublasLt lt{};
  symbols.take(&lt.get_version, "cublasLtGetVersion");
  symbols.take(&lt.get_status_string, "cublasLtGetStatusString");
  symbols.take(&lt.create, "cublasLtCreate");
  symbols.take(&lt.destroy, "cublasLtDestroy");
  symbols.take(&lt.create_matmul, "cublasLtMatmulDescCreate");
  symbols.take(&lt.destroy_matmul, "cublasLtMatmulDescDestroy");
  symbols.take(&lt.set_matmul_attribute, "cublasLtMatmulDescSetAttribute");
  symbols.take(&lt.create_layout, "cublasLtMatrixLayoutCreate");
  symbols.take(&lt.destroy_layout, "cublasLtMatrixLayoutDestroy");
  symbols.take(&lt.create_preference, "cublasLtMatmulPreferenceCreate");
  symbols.take(&lt.destroy_preference, "cublasLtMatmulPreferenceDestroy");
  symbols.take(&lt.set_preference_attribute, "cublasLtMatmulPreferenceSetAttribute");
  symbols.take(&lt.get_heuristic, "cublasLtMatmulAlgoGetHeuristic");
  symbols.take(&lt.get_algo_attribute, "cublasLtMatmulAlgoConfigGetAttribute");
  symbols.take(&lt.matmul, "cublasLtMatmul");
  PENULT_RETURN_IF_ERROR(check_symbols(symbols, file, kInstallCublasLt));
  lt.version = lt.get_version();
  PENULT_RETURN_IF_ERROR(check_version(file, lt.version, kOldestCublasLt, kInstallCublasLt));
  return lt;
}

Result<const Cudnn*> load_cudnn() {
  static std::mutex mutex;
  static std::optional<Cudnn> loaded;
  const std::lock_guard lock(mutex);
  if (!loaded) {
    PENULT_ASSIGN_OR_RETURN(loaded, open_cudnn(kCudnnFile));
  }
  return &*loaded;
}

Result<const CublasLt*> load_cublaslt() {
  static std::mutex mutex;
  static std::optional<CublasLt> loaded;
  const std::lock_guard lock(mutex);
  Status first;  // of the preferred file: what to install
  for (const char* file : kCublasLtFiles) {
    if (loaded) break;
    Result<CublasLt> opened = open_cublaslt(file);
    if (opened.ok()) {
      loaded = *opened;
    } else if (first.ok()) {
      first = opened.status();
    }
  }
  if (!loaded) return first;
  return &*loaded;
}

Status status_of(const Cudnn& cudnn, cudnnStatus_t status, const char* what) {
  return as_failure(answer_of(cudnn, status, what));
}

Status status_of(const CublasLt& cublaslt, cublasStatus_t status, const char* what) {
  return as_failure(answer_of(cublaslt, status, what));
}

Status answer_of(const Cudnn& cudnn, cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return {};
  char words[512] = "";
  cudnn.get_last_error_string(words, sizeof(words));
  std::string message = concat("backend cudnn: ", what, ": ", cudnn.get_error_string(status), " (",
                               static_cast<int>(status), ")");
  if (words[0] != '\0') message += concat(", ", escape_name(words));
  return Status(code_of(status), std::move(message));
}

Status answer_of(const CublasLt& cublaslt, cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  return Status(code_of(status),
                concat("backend cudnn: cuBLASLt: ", what, ": ", cublaslt.get_status_string(status),
                       " (", static_cast<int>(status), ")"));
}

Status as_failure(Status answer) {
  if (answer.code() != kRefusesLayer) return answer;
  return {StatusCode::kDevice, answer.message()};
}

}  // namespace penult::kernels::cudnn
