#pragma once

// The libraries' handles: contexts on the device that is current for the calling thread.

#include <memory>

#include "kernels/cuda/cudnn/library.h"
#include "kernels/cuda/gpu_types.h"

namespace penult::kernels::cudnn {

using CudnnHandle = std::shared_ptr<cudnnContext>;
using CublasLtHandle = std::shared_ptr<cublasLtContext>;

// For work on that stream; null: for planning. A handle costs megabytes and milliseconds, so all
// who ask for the same device and stream share one as long as one of them lives. Used by one thread
// at a time, as the stream is. Device if there is no driver or no device.
Result<CudnnHandle> cudnn_handle(const Cudnn& cudnn, gpu::Stream stream);

// For all streams and threads: it has no state that they could disagree about.
Result<CublasLtHandle> cublaslt_handle(const CublasLt& cublaslt);

}  // namespace penult::kernels::cudnn
