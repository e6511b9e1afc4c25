#pragma once

// THE table of ONNX operators (handlers.cpp): a new one is a row there and a function.

#include <span>
#include <string_view>

#include "converters/onnx/node_scope.h"

namespace penult::converters::onnx {

using Handler = void (*)(NodeScope&);

struct OperatorRow {
  const char* op;
  int64_t since;    // first opset that has it
  Handler convert;  // of values; null: penult knows it among constants only
  Handler fold;     // where all inputs are constants; null: not done
};

std::span<const OperatorRow> all_operators();
const OperatorRow* find_operator(std::string_view op);  // null if there is none

// Of values. In ops_*.cpp.
void convert_add(NodeScope& n);  // Sum too
void convert_average_pool(NodeScope& n);
void convert_batchnorm(NodeScope& n);
void convert_cast(NodeScope& n);
void convert_clip(NodeScope& n);
void convert_concat(NodeScope& n);
void convert_conv(NodeScope& n);
void convert_div(NodeScope& n);
void convert_dropout(NodeScope& n);
void convert_flatten(NodeScope& n);
void convert_gather(NodeScope& n);
void convert_gemm(NodeScope& n);
void convert_global_average_pool(NodeScope& n);
void convert_global_max_pool(NodeScope& n);
void convert_hard_sigmoid(NodeScope& n);
void convert_hard_swish(NodeScope& n);
void convert_identity(NodeScope& n);
void convert_leaky_relu(NodeScope& n);
void convert_matmul(NodeScope& n);
void convert_max(NodeScope& n);
void convert_max_pool(NodeScope& n);
void convert_min(NodeScope& n);
void convert_mul(NodeScope& n);
void convert_neg(NodeScope& n);
void convert_pad(NodeScope& n);
void convert_prelu(NodeScope& n);
void convert_reduce_mean(NodeScope& n);
void convert_relu(NodeScope& n);
void convert_reshape(NodeScope& n);
void convert_sigmoid(NodeScope& n);
void convert_slice(NodeScope& n);
void convert_softmax(NodeScope& n);
void convert_split(NodeScope& n);
void convert_squeeze(NodeScope& n);
void convert_sub(NodeScope& n);
void convert_swish(NodeScope& n);
void convert_transpose(NodeScope& n);
void convert_unsqueeze(NodeScope& n);
void take_shape(NodeScope& n);  // of values and constants
void take_size(NodeScope& n);

// Of constants. In fold_*.cpp.
void fold_add(NodeScope& n);
void fold_cast(NodeScope& n);
void fold_ceil(NodeScope& n);
void fold_clip(NodeScope& n);
void fold_concat(NodeScope& n);
void fold_constant(NodeScope& n);
void fold_constant_of_shape(NodeScope& n);
void fold_div(NodeScope& n);
void fold_equal(NodeScope& n);
void fold_expand(NodeScope& n);
void fold_floor(NodeScope& n);
void fold_gather(NodeScope& n);
void fold_max(NodeScope& n);
void fold_min(NodeScope& n);
void fold_mul(NodeScope& n);
void fold_neg(NodeScope& n);
void fold_range(NodeScope& n);
void fold_reciprocal(NodeScope& n);
void fold_reshape(NodeScope& n);
void fold_slice(NodeScope& n);
void fold_split(NodeScope& n);
void fold_sqrt(NodeScope& n);
void fold_squeeze(NodeScope& n);
void fold_sub(NodeScope& n);
void fold_transpose(NodeScope& n);
void fold_unsqueeze(NodeScope& n);
void fold_where(NodeScope& n);

}  // namespace penult::converters::onnx
