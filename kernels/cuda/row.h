#pragma once

// What an <op>_cuda.cpp needs to put its kernels into a table. Such files, and the .cu files beside
// them, are compiled twice: for CUDA, and for the emulator (kernels/cuda/emulated).
//
// Layout of all maps on a device: nhwc, dense, channels padded to kGpuPad with finite numbers that
// no result depends on; no halo, no rings. A kernel writes whole pixels, padding included. Vectors
// are maps of one pixel. Element: float or gpu::Half, by the row's precision.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "kernels/cuda/gpu_types.h"
#include "kernels/kernel.h"
#include "kernels/prepared.h"

namespace penult::kernels::cuda {

inline constexpr int64_t kGpuPad = 8;  // 16 bytes of Half

constexpr int64_t padded(int64_t channels) { return (channels + kGpuPad - 1) / kGpuPad * kGpuPad; }

// T: float or gpu::Half.
template <class T>
inline constexpr Precision kPrecisionOf = sizeof(T) == 4 ? Precision::kF32 : Precision::kF16;

// What a launch function gets. Pointers are the device's.
struct GpuArgs {
  const Problem& problem;  // shapes, strides in elements
  int64_t n;               // images of this run
  const void* const* src;
  const void* residual;  // null unless epilogue.residual
  void* dst;
  const std::byte* packed;
  std::byte* scratch;
  gpu::Stream stream;
};

// Plain data of a row, as Kernel has them; `packed_bytes` and `pack` write host memory that is
// copied to the device as it is.
struct GpuRow {
  const char* name;  // <op>_<variant>_<dtype>_cuda
  Precision precision;
  gpu::Error (*launch)(const GpuArgs&);
  std::string (*declines)(const Problem&) = accepts_all;
  size_t (*packed_bytes)(const Problem&) = no_bytes;
  Status (*pack)(const Problem&, Weights&, std::byte*) = nullptr;  // null: nothing to pack
  // On the device, for runs of up to max_batch images.
  size_t (*scratch_bytes)(const Problem&, int64_t max_batch) = nullptr;
  int64_t (*macs)(const Problem&) = direct_macs;
};

Result<std::unique_ptr<PreparedKernel>> prepare_row(const GpuRow& row, const PrepareArgs& args);

// `kRow` is a constexpr GpuRow.
template <const GpuRow& kRow>
constexpr Kernel row() {
  return {.name = kRow.name,
          .backend = Backend::kNative,
          .isa = Isa::kScalar,
          .precision = kRow.precision,
          .declines = kRow.declines,
          .macs = kRow.macs,
          .prepare = [](const PrepareArgs& args) { return prepare_row(kRow, args); }};
}

// Weights (oc, ic, kh, kw) as [padded(oc)][kh][kw][padded(ic)] elements, zeros in the padding, and
// behind them the bias, [padded(oc)] floats (zeros if there is none), at bias_offset().
struct OhwiWeights {
  int64_t oc, ic, kh, kw;
  Precision precision;

  int64_t elems() const { return padded(oc) * kh * kw * padded(ic); }
  size_t bias_offset() const;  // bytes, a multiple of 256
  size_t bytes() const;
  // ModelInvalid if a weight that is a number does not fit f16.
  Status pack(Weights& weights, std::byte* packed) const;
};

// Of f16, which ends at 65504; expected: what to do.
Status too_large_for_f16(float weight);

}  // namespace penult::kernels::cuda
