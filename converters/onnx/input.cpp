#include "converters/onnx/input.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

constexpr int64_t kOpen = -1, kMaxSide = 16'384;

Status unsupported(std::string message) {
  return Status(StatusCode::kFormatUnsupported, std::move(message));
}

Result<const Input*> find_only_input(const OnnxModel& model) {
  std::string names;
  for (const Input& input : model.inputs) {
    names += concat(names.empty() ? "" : ", ", quote(input.name));
  }
  if (model.inputs.size() != 1) {
    return unsupported(concat("expected one input, the image, got ", model.inputs.size(),
                              names.empty() ? "" : ": ", names));
  }
  if (!model.inputs[0].type.empty()) {
    return unsupported(concat("input ", names, ": expected float32, got ", model.inputs[0].type,
                              "; export the network with a float input, and without what turns "
                              "pixels into it, which penult does itself (--preprocess)"));
  }
  return &model.inputs[0];
}

std::string dims_text(const std::vector<int64_t>& dims) {
  std::string text;
  for (const int64_t dim : dims) {
    text += concat(text.empty() ? "(" : ",", dim == kOpen ? "?" : std::to_string(dim));
  }
  return text.empty() ? "()" : text + ")";
}

// Channels last, with open channels too if a Transpose puts them second.
bool is_channels_last(const OnnxModel& model, const Input& input) {
  if (input.dims[1] == 3) return false;
  if (input.dims[3] == 3) return true;
  const auto reader = std::find_if(model.nodes.begin(), model.nodes.end(), [&](const Node& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), input.name) != node.inputs.end();
  });
  if (reader == model.nodes.end() || reader->op != "Transpose") return false;
  const auto perm = reader->attributes.find("perm");
  return perm != reader->attributes.end() && perm->second.ints == std::vector<int64_t>{0, 3, 1, 2};
}

// A side that the file fixes, or the one asked for, or 224.
Result<int64_t> side(const Input& input, int64_t dim, int64_t asked, const char* what) {
  const int64_t size = dim != kOpen ? dim : asked != 0 ? asked : 224;
  if (dim != kOpen && asked != 0 && asked != dim) {
    return Status(StatusCode::kInvalidArgument,
                  concat("input ", quote(input.name), ": the file fixes its ", what, " to ", dim,
                         " pixels, asked for ", asked, "; export it again with that size"));
  }
  if (size >= 1 && size <= kMaxSide) return size;
  return unsupported(concat("input ", quote(input.name), ": a ", what, " of ", size,
                            " pixels, expected 1 to ", kMaxSide));
}

Result<int64_t> batch_of(const Input& input) {
  constexpr int64_t kMaxBatch = 65'536;  // times 2^40 elements of an image: no overflow
  const int64_t batch = input.dims[0] == kOpen ? 1 : input.dims[0];
  if (batch >= 1 && batch <= kMaxBatch) return batch;
  return unsupported(concat("input ", quote(input.name), ": a batch of ", batch));
}

}  // namespace

Result<GraphInput> find_image_input(const OnnxModel& model, const InputSize& size) {
  PENULT_ASSIGN_OR_RETURN(const Input* input, find_only_input(model));
  const std::vector<int64_t>& dims = input->dims;
  const bool channels_last = dims.size() == 4 && is_channels_last(model, *input);
  if (dims.size() != 4 ||
      (dims[channels_last ? 3 : 1] != 3 && dims[channels_last ? 3 : 1] != kOpen)) {
    return unsupported(concat("input ", quote(input->name),
                              ": expected images (n,3,h,w) or (n,h,w,3), got ", dims_text(dims)));
  }
  GraphInput found = {.name = input->name, .axes = {}, .shape = {}};
  PENULT_ASSIGN_OR_RETURN(found.batch, batch_of(*input));
  PENULT_ASSIGN_OR_RETURN(const int64_t h,
                          side(*input, dims[channels_last ? 1 : 2], size.h, "height"));
  PENULT_ASSIGN_OR_RETURN(const int64_t w,
                          side(*input, dims[channels_last ? 2 : 3], size.w, "width"));
  found.shape = Shape::map(3, h, w);
  const auto first_side = dims.begin() + (channels_last ? 1 : 2);
  found.open_size = std::count(first_side, first_side + 2, kOpen) != 0;
  using enum Role;
  found.axes = channels_last ? std::vector{kBatch, kRow, kColumn, kChannel}
                             : std::vector{kBatch, kChannel, kRow, kColumn};
  return found;
}

Result<GraphInput> find_any_input(const OnnxModel& model) {
  PENULT_ASSIGN_OR_RETURN(const Input* input, find_only_input(model));
  const std::vector<int64_t>& dims = input->dims;
  const bool sized = std::all_of(dims.begin(), dims.end(),
                                 [](int64_t dim) { return dim >= 1 && dim <= kMaxSide; });
  if (dims.empty() || dims.size() > 4 || !sized) {
    return unsupported(concat("input ", quote(input->name),
                              ": expected (n), (n,c), (n,c,h) or (n,c,h,w), got ",
                              dims_text(dims)));
  }
  GraphInput found = {.name = input->name, .axes = {}, .batch = dims[0], .shape = {}};
  constexpr std::array kAxes = {Role::kBatch, Role::kChannel, Role::kRow, Role::kColumn};
  found.axes.assign(kAxes.begin(), kAxes.begin() + static_cast<ptrdiff_t>(dims.size()));
  const auto dim = [&](size_t i) { return i < dims.size() ? dims[i] : 1; };
  found.shape = dims.size() <= 2 ? Shape::vector(dim(1)) : Shape::map(dim(1), dim(2), dim(3));
  return found;
}

}  // namespace penult::converters::onnx
