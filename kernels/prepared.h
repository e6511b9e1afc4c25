#pragma once

// Kernels of libraries that make descriptors and machine code beforehand. A row of a table with
// `prepare` (kernel.h) is run in three steps instead of by Kernel::run:
//   prepare  once for each step of a plan: primitives for the problem, batch and threads. Where the
//            library refuses the layer, the error is kRefusesLayer: see prepare_kernels in
//            engine/plan/plan.h
//   bind     once for each workspace: the buffers' addresses
//   run      allocates nothing by itself (what the library does is the library's affair)
// Batches: one run of max_batch images is one call into the library. A run must not build anything,
// and a primitive for each n from 1 to max_batch would cost milliseconds and memory each; only the
// last batch of a job is smaller than the others. oneDNN takes that one image by image, by a second
// primitive. On a device all max_batch images are computed (BoundKernel::run), for to prepare twice
// would take twice as long: cuDNN compiles some layers for a second each. Who runs fewer images
// most of the time plans for fewer.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "kernels/kernel.h"
#include "penult/status.h"

namespace penult::kernels {

// What prepare() says of a layer that the library cannot do, in its words. All other errors are of
// something that is missing, broken or used up, and would meet the next row as well.
inline constexpr StatusCode kRefusesLayer = StatusCode::kModelInvalid;

struct PrepareArgs {
  const Problem& problem;  // with strides and halos; need not outlive the call
  int64_t max_batch;
  int threads;
};

struct BindArgs {
  const float* const* src;  // as RunArgs::src, and so on
  const float* residual;
  float* dst;
  const std::byte* packed;
  std::byte* scratch;              // PreparedKernel::scratch_bytes()
  DeviceStream* stream = nullptr;  // of kernels on a device, whose memory all of the above is then
};

// In the memory of one workspace, hence one run() at a time.
class BoundKernel {
 public:
  virtual ~BoundKernel() = default;
  // Computes images [0, n). Called by one thread; the library brings its team. Device if the
  // library fails. On a device, it may read and write those up to max_batch, too, which all buffers
  // of a plan have room for. Perhaps nobody wrote what it reads there, and nobody reads what it
  // writes; since no image depends on another one, it may be anything, NaNs included.
  virtual Status run(int64_t n) = 0;
};

// Immutable; any number of threads may bind it at a time. Outlives what it bound.
class PreparedKernel {
 public:
  virtual ~PreparedKernel() = default;
  virtual size_t packed_bytes() const = 0;
  virtual Status pack(Weights& weights, std::byte* packed) const = 0;
  virtual size_t scratch_bytes() const = 0;  // in all, not for each thread
  virtual Result<std::unique_ptr<BoundKernel>> bind(const BindArgs& args) const = 0;
  // What the library chose, in its own words: "brgconv:avx512_core".
  virtual std::string implementation() const = 0;
};

}  // namespace penult::kernels
