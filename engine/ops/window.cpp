#include "engine/ops/window.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

Axis axis_of(const OpArgs& args, size_t i, int64_t in, int64_t kernel) {
  const bool dilates = args.attrs.find("dilations") != nullptr;
  return {.in = in,
          .kernel = kernel,
          .stride = args.attrs.get_int("strides", i),
          .dilation = dilates ? args.attrs.get_int("dilations", i) : 1,
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

Status too_small(const Axis& axis, const char* what) {
  return Status(
      StatusCode::kModelInvalid,
      concat("input ", what, ": expected at least ", axis.reach(), " pixels with padding (kernel ",
             axis.kernel, ", dilation ", axis.dilation, "), got ", axis.padded()));
}

// Average and maximum of padding alone would be made up.
Status check_pool_pads(const Axis& axis, const char* what) {
  const int64_t widest = std::max(axis.pad_before, axis.pad_after);
  if (widest < axis.reach()) return Status();
  return Status(StatusCode::kModelInvalid,
                concat("padding of the ", what, ": expected less than the window's ", axis.reach(),
                       " pixels, got ", widest));
}

}  // namespace

Windows Windows::of(const OpArgs& args, int64_t kh, int64_t kw) {
  const Shape& src = args.inputs[0];
  return {axis_of(args, 0, src.h, kh), axis_of(args, 1, src.w, kw)};
}

void resolve_pads(Attributes& attrs, Windows windows) {
  if (attrs.get_int("pad_mode") != kSamePads) return;
  Axis &rows = windows.rows, &columns = windows.columns;
  resolve_same(rows);
  resolve_same(columns);
  attrs.set("pads", {rows.pad_before, columns.pad_before, rows.pad_after, columns.pad_after});
  attrs.set("pad_mode", kExplicitPads);
}

Result<int64_t> output_size(const Axis& axis, const char* what, Rounding rounding) {
  if (axis.kernel > kMaxKernel) {
    return Status(StatusCode::kModelInvalid,
                  concat("kernel ", what, ": expected 1..", kMaxKernel, ", got ", axis.kernel));
  }
  if (std::max(axis.pad_before, axis.pad_after) > kMaxPad) {  // only SAME padding can get there
    return Status(StatusCode::kModelInvalid,
                  concat("padding of the ", what, ": expected 0..", kMaxPad, ", got ",
                         axis.pad_before, " and ", axis.pad_after));
  }
  const int64_t spare = rounding == Rounding::kUp ? axis.stride - 1 : 0;
  const int64_t room = axis.padded() - axis.reach() + spare;
  if (room < 0) return too_small(axis, what);
  int64_t out = room / axis.stride + 1;
  if (rounding == Rounding::kUp && (out - 1) * axis.stride >= axis.in + axis.pad_before) --out;
  if (out < 1) return too_small(axis, what);
  return out;
}

Windows pool_windows(const OpArgs& args) {
  return Windows::of(args, args.attrs.get_int("kernel", 0), args.attrs.get_int("kernel", 1));
}

void resolve_pool(Attributes& attrs, const OpArgs& args) {
  resolve_pads(attrs, pool_windows(args));
}

Result<Shape> infer_pool(const OpArgs& args) {
  PENULT_RETURN_IF_ERROR(expect_map(args.inputs[0]));
  const auto [rows, columns] = pool_windows(args);
  const Rounding rounding = args.attrs.get_int("ceil_mode") ? Rounding::kUp : Rounding::kDown;
  PENULT_RETURN_IF_ERROR(check_pool_pads(rows, "height"));
  PENULT_RETURN_IF_ERROR(check_pool_pads(columns, "width"));
  PENULT_ASSIGN_OR_RETURN(const int64_t oh, output_size(rows, "height", rounding));
  PENULT_ASSIGN_OR_RETURN(const int64_t ow, output_size(columns, "width", rounding));
  return Shape::map(args.inputs[0].c, oh, ow);
}

}  // namespace penult
