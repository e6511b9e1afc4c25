#pragma once

// What the operators have in common. Statuses are ModelInvalid and lack the node's
// name, which the caller adds.

#include <string_view>
#include <vector>

#include "engine/ops/op.h"

namespace penult {

// Ok if the input has the wanted rank, else `input: expected a map (c,h,w), got (1280)`.
Status expect_map(const Shape& input);
Status expect_vector(const Shape& input);

// Ok if `got` equals `expected`, else `weight "mean": expected (32) for input (32,7,7), got (16)`.
Status expect_dims(std::string_view weight, const std::vector<int64_t>& expected,
                   const std::vector<int64_t>& got, const Shape& input);

// OpDef::infer of operators that change no shape, and OpDef::macs of those that multiply nothing.
Result<Shape> same_shape(const OpArgs& args);
uint64_t no_macs(const OpArgs& args, const Shape& dst);

// A pointwise activation: one input of any shape, no weights.
constexpr OpDef activation_op(const char* name, Activation (*activation)(const Attributes&),
                              std::span<const AttributeSpec> attributes = {},
                              Result<Shape> (*infer)(const OpArgs&) = same_shape) {
  return {.name = name,
          .inputs = 1,
          .attributes = attributes,
          .weights = {},
          .infer = infer,
          .macs = no_macs,
          .activation = activation};
}

// Product of the factors, or the largest uint64_t if it does not fit.
uint64_t saturating_product(std::span<const int64_t> factors);

}  // namespace penult
