#include "converters/onnx/handlers.h"

#include <algorithm>
#include <array>

namespace penult::converters::onnx {
namespace {

// One a line, sorted by name.
// clang-format off
constexpr auto kOperators = std::to_array<OperatorRow>({
    {"Add", 1, convert_add, fold_add},
    {"AveragePool", 1, convert_average_pool, nullptr},
    {"BatchNormalization", 1, convert_batchnorm, nullptr},
    {"Cast", 1, convert_cast, fold_cast},
    {"Ceil", 1, nullptr, fold_ceil},
    {"Clip", 1, convert_clip, fold_clip},
    {"Concat", 1, convert_concat, fold_concat},
    {"Constant", 1, nullptr, fold_constant},
    {"ConstantOfShape", 9, nullptr, fold_constant_of_shape},
    {"Conv", 1, convert_conv, nullptr},
    {"Div", 1, convert_div, fold_div},
    {"Dropout", 1, convert_dropout, nullptr},
    {"Equal", 1, nullptr, fold_equal},
    {"Expand", 8, nullptr, fold_expand},
    {"Flatten", 1, convert_flatten, nullptr},
    {"Floor", 1, nullptr, fold_floor},
    {"Gather", 1, convert_gather, fold_gather},
    {"Gemm", 1, convert_gemm, nullptr},
    {"GlobalAveragePool", 1, convert_global_average_pool, nullptr},
    {"GlobalMaxPool", 1, convert_global_max_pool, nullptr},
    {"HardSigmoid", 1, convert_hard_sigmoid, nullptr},
    {"HardSwish", 14, convert_hard_swish, nullptr},
    {"Identity", 1, convert_identity, convert_identity},
    {"LeakyRelu", 1, convert_leaky_relu, nullptr},
    {"MatMul", 1, convert_matmul, nullptr},
    {"Max", 1, convert_max, fold_max},
    {"MaxPool", 1, convert_max_pool, nullptr},
    {"Min", 1, convert_min, fold_min},
    {"Mul", 1, convert_mul, fold_mul},
    {"Neg", 1, convert_neg, fold_neg},
    {"PRelu", 1, convert_prelu, nullptr},
    {"Pad", 1, convert_pad, nullptr},
    {"Range", 11, nullptr, fold_range},
    {"Reciprocal", 1, nullptr, fold_reciprocal},
    {"ReduceMean", 1, convert_reduce_mean, nullptr},
    {"Relu", 1, convert_relu, nullptr},
    {"Reshape", 1, convert_reshape, fold_reshape},
    {"Shape", 1, take_shape, take_shape},
    {"Sigmoid", 1, convert_sigmoid, nullptr},
    {"Size", 1, take_size, take_size},
    {"Slice", 1, convert_slice, fold_slice},
    {"Softmax", 1, convert_softmax, nullptr},
    {"Split", 1, convert_split, fold_split},
    {"Sqrt", 1, nullptr, fold_sqrt},
    {"Squeeze", 1, convert_squeeze, fold_squeeze},
    {"Sub", 1, convert_sub, fold_sub},
    {"Sum", 1, convert_add, fold_add},
    {"Swish", 24, convert_swish, nullptr},
    {"Transpose", 1, convert_transpose, fold_transpose},
    {"Unsqueeze", 1, convert_unsqueeze, fold_unsqueeze},
    {"Where", 9, nullptr, fold_where},
});
// clang-format on

constexpr bool is_before(const OperatorRow& a, const OperatorRow& b) {
  return std::string_view(a.op) < b.op;
}
static_assert(std::is_sorted(kOperators.begin(), kOperators.end(), is_before));

}  // namespace

std::span<const OperatorRow> all_operators() { return kOperators; }

const OperatorRow* find_operator(std::string_view op) {
  const auto row =
      std::lower_bound(kOperators.begin(), kOperators.end(), op,
                       [](const OperatorRow& r, std::string_view name) { return r.op < name; });
  return row != kOperators.end() && row->op == op ? row : nullptr;
}

}  // namespace penult::converters::onnx
