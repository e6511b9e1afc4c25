#pragma once

// What operators that slide a window over a map have in common: convolution and pooling.

#include "engine/ops/op.h"

namespace penult {

inline constexpr int64_t kMaxStride = 1024, kMaxKernel = 4096, kMaxPad = 65535;
inline constexpr int64_t kExplicitPads = 0, kSamePads = 1;

// pads = top, left, bottom, right; pad_mode 1 stands for pads by TensorFlow's SAME rule.
inline constexpr AttributeSpec kPadsSpec = AttributeSpec::ints_or("pads", 4, 0, kMaxPad, 0);
inline constexpr AttributeSpec kPadModeSpec =
    AttributeSpec::ints_or("pad_mode", 1, kExplicitPads, kSamePads, kExplicitPads);

// One of the two spatial axes.
struct Axis {
  int64_t in, kernel, stride, dilation, pad_before, pad_after;

  int64_t padded() const { return in + pad_before + pad_after; }
  int64_t reach() const { return (kernel - 1) * dilation + 1; }  // pixels that a kernel spans
};

struct Windows {
  Axis rows, columns;

  // From the input's shape and the attributes strides, pads and, if there is one, dilations.
  static Windows of(const OpArgs& args, int64_t kh, int64_t kw);
};

// Replaces pad_mode 1 by the pads that it stands for.
void resolve_pads(Attributes& attrs, Windows windows);

enum class Rounding {
  kDown,
  kUp,  // ceil_mode of torch: a last, partial window counts unless it starts in the padding
};

// Positions of the window along the axis; `what` is "height" or "width".
Result<int64_t> output_size(const Axis& axis, const char* what, Rounding rounding);

// max_pool2d and avg_pool2d, whose kernel and ceil_mode are attributes.
Windows pool_windows(const OpArgs& args);
void resolve_pool(Attributes& attrs, const OpArgs& args);
Result<Shape> infer_pool(const OpArgs& args);

}  // namespace penult
