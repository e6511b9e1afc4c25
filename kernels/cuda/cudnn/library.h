#pragma once

// NVIDIA's cuDNN and cuBLASLt. Nothing links to them: they are opened when they are first asked
// for, and a program runs without them. Building needs their headers only.

#include <cublasLt.h>
#include <cudnn_graph.h>

#include "kernels/prepared.h"
#include "penult/status.h"

namespace penult::kernels::cudnn {

// The functions that are used, by their names without the prefix.
struct Cudnn {
  decltype(&cudnnGetVersion) get_version;
  decltype(&cudnnGetErrorString) get_error_string;
  decltype(&cudnnGetLastErrorString) get_last_error_string;
  decltype(&cudnnCreate) create;
  decltype(&cudnnDestroy) destroy;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnBackendCreateDescriptor) create_descriptor;
  decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor;
  decltype(&cudnnBackendFinalize) finalize;
  decltype(&cudnnBackendSetAttribute) set_attribute;
  decltype(&cudnnBackendGetAttribute) get_attribute;
  decltype(&cudnnBackendExecute) execute;
  size_t version = 0;  // 91900: 9.19.0
};

struct CublasLt {
  decltype(&cublasLtGetVersion) get_version;
  decltype(&cublasLtGetStatusString) get_status_string;
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtDestroy) destroy;
  decltype(&cublasLtMatmulDescCreate) create_matmul;
  decltype(&cublasLtMatmulDescDestroy) destroy_matmul;
  decltype(&cublasLtMatmulDescSetAttribute) set_matmul_attribute;
  decltype(&cublasLtMatrixLayoutCreate) create_layout;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference_attribute;
  decltype(&cublasLtMatmulAlgoGetHeuristic) get_heuristic;
  decltype(&cublasLtMatmulAlgoConfigGetAttribute) get_algo_attribute;
  decltype(&cublasLtMatmul) matmul;
  size_t version = 0;  // 130100: 13.1.0
};

// cuDNN can plan for a device that is not there, described by properties as JSON, since 9.8.
inline constexpr size_t kCudnnWithDeviceProperties = 90800;

// Loaded at the first call and never unloaded, from where the program looks for its libraries
// (RUNPATH, LD_LIBRARY_PATH, the system's). Thread-safe. Device, with what to install, if there is
// none or it is too old; the next call tries again.
Result<const Cudnn*> load_cudnn();
Result<const CublasLt*> load_cublaslt();

// The same for any file, not remembered.
Result<Cudnn> open_cudnn(const char* file);
Result<CublasLt> open_cublaslt(const char* file);

// What a call said: Ok, OutOfMemory, or Device with what was tried and the library's own words.
Status status_of(const Cudnn& cudnn, cudnnStatus_t status, const char* what);
Status status_of(const CublasLt& cublaslt, cublasStatus_t status, const char* what);

// The same of a call that describes a layer or asks how to compute it: kRefusesLayer where the
// library objects to what it was asked, or fails within itself. What it says of the device, the
// driver or memory is no answer to that, and stays what it is.
Status answer_of(const Cudnn& cudnn, cudnnStatus_t status, const char* what);
Status answer_of(const CublasLt& cublaslt, cublasStatus_t status, const char* what);
// Of an answer where there is nothing to be refused: Device instead of kRefusesLayer.
Status as_failure(Status answer);

}  // namespace penult::kernels::cudnn
