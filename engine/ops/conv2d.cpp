// dst[oc,oh,ow] = bias[oc] + sum_{ic,kh,kw} src[g*icg+ic, oh*sh-top+kh*dh, ow*sw-left+kw*dw]
//                                            * weight[oc,ic,kh,kw]
// with icg = ic/groups channels a group, g = oc / (OC/groups), and zeros outside src:
// torch.nn.Conv2d. Input: a map (ic,ih,iw); weights: weight (oc,icg,kh,kw), bias (oc) optional;
// output: (oc,oh,ow), oh = (ih + top + bottom - ((kh-1)*dh + 1)) / sh + 1 rounded down, ow alike.
// Attributes: pads = top, left, bottom, right; pad_mode 1 stands for pads by TensorFlow's SAME
// rule.

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

constexpr int64_t kMaxStride = 1024, kMaxKernel = 4096, kMaxPad = 65535;
constexpr int64_t kExplicitPads = 0, kSamePads = 1;

constexpr std::array kAttributes = {
    AttributeSpec::ints("strides", 2, 1, kMaxStride),
    AttributeSpec::ints_or("dilations", 2, 1, kMaxStride, 1),
    AttributeSpec::ints_or("groups", 1, 1, (int64_t{1} << 31) - 1, 1),
    AttributeSpec::ints_or("pads", 4, 0, kMaxPad, 0),
    AttributeSpec::ints_or("pad_mode", 1, kExplicitPads, kSamePads, kExplicitPads)};
constexpr std::array<WeightSpec, 2> kWeights = {{{"weight", 4, true}, {"bias", 1, false}}};

// One of the two spatial axes.
struct Axis {
  int64_t in, kernel, stride, dilation, pad_before, pad_after;

  int64_t reach() const { return (kernel - 1) * dilation + 1; }  // pixels that a kernel spans
};

Axis axis_of(const OpArgs& args, bool vertical) {
  const size_t i = vertical ? 0 : 1;
  const Shape& src = args.inputs[0];
  return {.in = vertical ? src.h : src.w,
          .kernel = args.weight_dims[0][2 + i],
          .stride = args.attrs.get_int("strides", i),
          .dilation = args.attrs.get_int("dilations", i),
          .pad_before = args.attrs.get_int("pads", i),
          .pad_after = args.attrs.get_int("pads", 2 + i)};
}

// As many outputs as input positions that a stride hits; the odd pixel goes to the far side.
void resolve_same(Axis& axis) {
  const int64_t out = (axis.in + axis.stride - 1) / axis.stride;
  const int64_t total = std::max<int64_t>((out - 1) * axis.stride + axis.reach() - axis.in, 0);
  axis.pad_before = total / 2;
  axis.pad_after = total - axis.pad_before;
}

void resolve(Attributes& attrs, const OpArgs& args) {
  if (args.attrs.get_int("pad_mode") != kSamePads) return;
  Axis rows = axis_of(args, true), columns = axis_of(args, false);
  resolve_same(rows);
  resolve_same(columns);
  attrs.set("pads", {rows.pad_before, columns.pad_before, rows.pad_after, columns.pad_after});
  attrs.set("pad_mode", kExplicitPads);
}

Result<int64_t> output_size(const Axis& axis, const char* what) {
  if (axis.kernel > kMaxKernel) {
    return Status(StatusCode::kModelInvalid,
                  concat("kernel ", what, ": expected 1..", kMaxKernel, ", got ", axis.kernel));
  }
  if (std::max(axis.pad_before, axis.pad_after) > kMaxPad) {  // only SAME padding can get there
    return Status(StatusCode::kModelInvalid,
                  concat("padding of the ", what, ": expected 0..", kMaxPad, ", got ",
                         axis.pad_before, " and ", axis.pad_after));
  }
  const int64_t padded = axis.in + axis.pad_before + axis.pad_after;
  if (padded < axis.reach()) {
    return Status(StatusCode::kModelInvalid,
                  concat("input ", what, ": expected at least ", axis.reach(),
                         " pixels with padding (kernel ", axis.kernel, ", dilation ", axis.dilation,
                         "), got ", padded));
  }
  return (padded - axis.reach()) / axis.stride + 1;
}

Status check_channels(const OpArgs& args) {
  const Shape& src = args.inputs[0];
  const std::vector<int64_t>&weight = args.weight_dims[0], &bias = args.weight_dims[1];
  const int64_t groups = args.attrs.get_int("groups"), oc = weight[0];
  if (src.c % groups != 0 || oc % groups != 0) {
    return Status(StatusCode::kModelInvalid,
                  concat("groups: expected a divisor of ", src.c, " input and ", oc,
                         " output channels, got ", groups));
  }
  PENULT_RETURN_IF_ERROR(
      expect_dims("weight", {oc, src.c / groups, weight[2], weight[3]}, weight, src));
  return bias.empty() ? Status() : expect_dims("bias", {oc}, bias, src);
}

Result<Shape> infer(const OpArgs& args) {
  PENULT_DCHECK(args.attrs.get_int("pad_mode") == kExplicitPads);
  PENULT_RETURN_IF_ERROR(expect_map(args.inputs[0]));
  PENULT_RETURN_IF_ERROR(check_channels(args));
  PENULT_ASSIGN_OR_RETURN(const int64_t oh, output_size(axis_of(args, true), "height"));
  PENULT_ASSIGN_OR_RETURN(const int64_t ow, output_size(axis_of(args, false), "width"));
  return Shape::map(args.weight_dims[0][0], oh, ow);
}

uint64_t macs(const OpArgs& args, const Shape& dst) {
  const std::vector<int64_t>& weight = args.weight_dims[0];
  const std::array factors = {dst.h, dst.w, weight[0], weight[1], weight[2], weight[3]};
  return saturating_product(factors);
}

}  // namespace

const OpDef kConv2d = {.name = "conv2d",
                       .inputs = 1,
                       .attributes = kAttributes,
                       .weights = kWeights,
                       .infer = infer,
                       .macs = macs,
                       .resolve = resolve,
                       .folds_batchnorm = true,
                       .takes_epilogue = true};

}  // namespace penult
