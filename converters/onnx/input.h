#pragma once

#include <string>
#include <vector>

#include "converters/onnx/import.h"
#include "converters/onnx/node_scope.h"

namespace penult::converters::onnx {

// The one input that is no initializer.
struct GraphInput {
  std::string name;
  std::vector<Role> axes;
  int64_t batch = 1;
  Shape shape;
  bool open_size = false;  // height or width
};

// Of images of three channels, (n,3,h,w) or (n,h,w,3).
Result<GraphInput> find_image_input(const OnnxModel& model, const InputSize& size);
// Of any (n), (n,c), (n,c,h) or (n,c,h,w) without open dims.
Result<GraphInput> find_any_input(const OnnxModel& model);

}  // namespace penult::converters::onnx
