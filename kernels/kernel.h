#pragma once

// What a kernel is. Kernels know buffers and instructions; they know no graph.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/activation.h"
#include "engine/base/attributes.h"
#include "engine/base/cpu_features.h"
#include "engine/base/shape.h"
#include "kernels/device.h"
#include "penult/status.h"

namespace penult::kernels {

// Pixels of guaranteed zeros around a map, so that kernels need no padding code.
struct Halo {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  bool operator==(const Halo&) const = default;
};

// Channels are padded to a multiple of this many floats in every buffer (one AVX-512 vector).
inline constexpr int64_t kChannelPad = 16;

// The stride for pixels of so many floats that are read many at a time, channel by channel. Were it
// a multiple of 2 KB, a channel of all pixels would be in two of the 64 sets of a 32 KB L1 cache,
// of 8 lines each: a depthwise convolution wants 27 at once.
constexpr int64_t spread_pixel(int64_t floats) {
  return floats % 512 == 0 ? floats + kChannelPad : floats;
}

// Where a value lies: nhwc, f32 on processors. Strides are in elements and include the halo. A
// pointer that goes with a TensorDesc is the address of element (image 0, pixel (0,0), channel 0),
// inside the halo. Floats between shape.c and pixel_stride hold unspecified finite values: a kernel
// may read and write them, and no result may depend on them. pixel_stride is a multiple of
// kChannelPad and every pixel is 64-byte aligned. One exception: pixel_stride may be shape.c in the
// source of a kernel that says so (Kernel::dense_src).
struct TensorDesc {
  Shape shape = {};
  Halo halo = {};
  int64_t pixel_stride = 0, row_stride = 0, image_stride = 0;
  // 0: all rows lie there. Else only the last so many, in a ring: row y, which may be one of the
  // halo, starts (y mod ring_rows) * row_stride behind the first slot. image_stride is 0 then: the
  // ring holds rows of one image. Only kernels that say so meet it (Kernel::row_window,
  // Kernel::ring_src).
  int64_t ring_rows = 0;
  bool operator==(const TensorDesc&) const = default;
};

// [begin, end)
struct Range {
  int64_t begin = 0, end = 0;

  bool empty() const { return begin >= end; }
};

// The rows of src[0] that row y of dst needs: [y * stride - pad, y * stride - pad + extent), of
// which those outside the map are zeros.
struct RowWindow {
  int64_t stride, pad, extent;
};

// What a producer does to each element before it stores it: y = activation(y + residual).
// `residual` has dst's shape, but its own strides. Adding comes after the bias, never before.
struct Epilogue {
  bool residual = false;
  Activation activation;
  bool operator==(const Epilogue&) const = default;
};

// One node, as kernels see it. While kernels are chosen the strides and halos are not yet known
// (zero); pack() and run() see them.
struct Problem {
  // The operator's name; "activation" for each one that is a pointwise function.
  std::string_view op;
  Activation function;          // of "activation"; of "squeeze_excitation" the first layer's
  std::vector<TensorDesc> src;  // inputs, without the residual
  TensorDesc dst;
  TensorDesc residual;  // meaningful when epilogue.residual
  Attributes attrs;     // validated, defaults filled in, padding resolved to numbers
  Epilogue epilogue;
  std::vector<std::vector<int64_t>> weight_dims;  // by slot of the operator; empty: slot not given
};

// What pack() gets: weights by slot in the source order of the operator (see engine/ops), batchnorm
// already folded into them. Slot 0 may be read from a file when it is asked for. Where that fails
// it is empty, and pack() may leave anything: its caller knows of it.
class Weights {
 public:
  virtual ~Weights() = default;
  // A slot; empty: not given.
  virtual std::span<const float> operator[](size_t slot) = 0;
  // Of slot 0 the output channels (its first dimension) of a range: to be asked for in order, all
  // of them once, and then not the whole. Valid until the next call.
  virtual std::span<const float> channels(Range range) = 0;
};

struct RunArgs {
  const Problem& problem;
  int64_t n;                // images in this run; dst of images beyond n is not touched
  const float* const* src;  // one pointer for each Problem::src
  const float* residual;    // null unless epilogue.residual
  float* dst;
  const std::byte* packed;  // what pack() wrote, 64-byte aligned
  std::byte* scratch;       // scratch_bytes() of this thread's own, 64-byte aligned
  int thread, threads;      // compute the thread-th of `threads` static parts
  // Unless empty, compute only these rows of dst, counted through all images (image * oh + y) but
  // of one image; `threads` is 1 then. Only kernels with a row_window meet it.
  Range rows = {};
};

enum class Backend { kReference, kNative, kOnednn, kCudnn };
const char* backend_name(Backend backend);

// For rows that need none of it.
std::string accepts_all(const Problem&);
Halo no_halo(const Problem&, int index);
size_t no_bytes(const Problem&);
bool never(const Problem&);
void pack_nothing(const Problem&, Weights&, std::byte*);
// Each weight of slot 0 at each pixel of dst.
int64_t direct_macs(const Problem&);

// How sums are formed, beyond what tiles and fusion may change: part of the bits. One class
// computes a layer, whatever the batch, the threads and the taps: kernels/numerics.h.
enum class NumericClass { kDirect, kWinograd23, kWinograd43 };
const char* numeric_class_name(NumericClass numeric_class);  // "direct", "winograd_f23"

class PreparedKernel;
struct PrepareArgs;

// A row of an operator's table.
// Contract for native kernels: an element of dst sees the same floating-point operations in the
// same order whatever n, thread, threads, and whether the epilogue is fused or follows as own
// operators.
struct Kernel {
  const char* name;  // <op>_<variant>_<dtype>_<isa|backend>
  Backend backend;
  Isa isa;
  Precision precision = Precision::kF32;  // of src, dst and residual
  NumericClass numeric_class = NumericClass::kDirect;
  // Empty if the kernel can run the problem, else why not (shown by `inspect -v`).
  std::string (*declines)(const Problem&) = accepts_all;
  // Zeros that must surround src[index].
  Halo (*src_halo)(const Problem&, int index) = no_halo;
  // Whether src[0] may also lie without channels of padding: for pixels of few channels, which else
  // are mostly padding.
  bool (*dense_src)(const Problem&) = never;
  // Whether pixels of src[0] should lie where spread_pixel() puts them.
  bool (*spread_src)(const Problem&) = never;
  // Not null: run() can compute a few rows alone (RunArgs::rows), and dst may be a ring.
  RowWindow (*row_window)(const Problem&) = nullptr;
  // Whether src[0] may be a ring, too.
  bool (*ring_src)(const Problem&) = never;
  // Whether dst may be the residual's memory, where both lie alike and no src is there: each float
  // of the residual is read just before the same float of dst is written.
  bool overwrites_residual = false;
  size_t (*packed_bytes)(const Problem&) = no_bytes;
  // Called once, by one thread.
  void (*pack)(const Problem&, Weights&, std::byte* packed) = pack_nothing;
  size_t (*scratch_bytes)(const Problem&) = no_bytes;  // for each thread
  // Multiply-adds with weights that the kernel needs for one image.
  int64_t (*macs)(const Problem&) = direct_macs;
  void (*run)(const RunArgs&) = nullptr;
  // Instead of pack, scratch_bytes, run and packed_bytes, for libraries that want to prepare: see
  // kernels/prepared.h.
  Result<std::unique_ptr<PreparedKernel>> (*prepare)(const PrepareArgs&) = nullptr;
};

// The kernels of one operator, fastest first, the reference last. Several tables may serve one
// operator (conv2d: depthwise_conv2d's table stands before conv2d's).
struct Table {
  const char* op;
  std::span<const Kernel> kernels;
};

// THE list of tables (registry.cpp): planner, tests, benchmarks and docs all walk it.
std::span<const Table> all_tables();

}  // namespace penult::kernels
