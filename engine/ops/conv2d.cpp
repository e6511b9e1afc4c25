// dst[oc,oh,ow] = bias[oc] + sum_{ic,kh,kw} src[g*icg+ic, oh*sh-top+kh*dh, ow*sw-left+kw*dw]
//                                            * weight[oc,ic,kh,kw]
// with icg = ic/groups channels a group, g = oc / (OC/groups), and zeros outside src:
// torch.nn.Conv2d. Input: a map (ic,ih,iw); weights: weight (oc,icg,kh,kw), bias (oc) optional;
// output: (oc,oh,ow), oh = (ih + top + bottom - ((kh-1)*dh + 1)) / sh + 1 rounded down, ow alike.
// Attributes: pads = top, left, bottom, right; pad_mode 1 stands for pads by TensorFlow's SAME
// rule. An optional second input, a vector (ic) or a map (ic,1,1), multiplies src per channel
// beforehand: pointwise convolutions only (1x1, no padding, one group).

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/ops/expect.h"
#include "engine/ops/window.h"

namespace penult {
namespace {

constexpr std::array kAttributes = {
    AttributeSpec::ints("strides", 2, 1, kMaxStride),
    AttributeSpec::ints_or("dilations", 2, 1, kMaxStride, 1),
    AttributeSpec::ints_or("groups", 1, 1, (int64_t{1} << 31) - 1, 1), kPadsSpec, kPadModeSpec};
constexpr std::array<WeightSpec, 2> kWeights = {{{"weight", 4, true}, {"bias", 1, false}}};

Windows windows_of(const OpArgs& args) {
  const std::vector<int64_t>& weight = args.weight_dims[0];
  return Windows::of(args, weight[2], weight[3]);
}

void resolve(Attributes& attrs, const OpArgs& args) { resolve_pads(attrs, windows_of(args)); }

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

Status check_scale(const OpArgs& args) {
  const Shape &src = args.inputs[0], &scale = args.inputs[1];
  const std::vector<int64_t>& weight = args.weight_dims[0];
  if (scale.c != src.c || scale.h != 1 || scale.w != 1) {
    return Status(StatusCode::kModelInvalid,
                  concat("second input: expected a factor for each of the ", src.c,
                         " channels, got ", scale.to_string()));
  }
  bool padded = false;
  for (size_t i = 0; i < 4; ++i) padded = padded || args.attrs.get_int("pads", i) != 0;
  if (weight[2] == 1 && weight[3] == 1 && !padded && args.attrs.get_int("groups") == 1) return {};
  return Status(StatusCode::kModelInvalid,
                concat("second input: expected a 1x1 kernel in one group without padding, got ",
                       weight[2], "x", weight[3]));
}

Result<Shape> infer(const OpArgs& args) {
  PENULT_RETURN_IF_ERROR(expect_map(args.inputs[0]));
  PENULT_RETURN_IF_ERROR(check_channels(args));
  if (args.inputs.size() == 2) PENULT_RETURN_IF_ERROR(check_scale(args));
  const Windows windows = windows_of(args);
  PENULT_ASSIGN_OR_RETURN(const int64_t oh, output_size(windows.rows, "height", Rounding::kDown));
  PENULT_ASSIGN_OR_RETURN(const int64_t ow, output_size(windows.columns, "width", Rounding::kDown));
  return Shape::map(args.weight_dims[0][0], oh, ow);
}

uint64_t macs(const OpArgs& args, const Shape& dst) {
  const std::vector<int64_t>& weight = args.weight_dims[0];
  const std::array factors = {dst.h, dst.w, weight[0], weight[1], weight[2], weight[3]};
  return saturating_product(factors);
}

}  // namespace

const OpDef kConv2d = {.name = "conv2d",
                       .inputs = {1, 2},
                       .attributes = kAttributes,
                       .weights = kWeights,
                       .infer = infer,
                       .macs = macs,
                       .resolve = resolve,
                       .windows = windows_of,
                       .folds_batchnorm = true,
                       .takes_epilogue = true,
                       .takes_scale = true};

}  // namespace penult
