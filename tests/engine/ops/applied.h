#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/ops/op.h"

namespace penult {

using Dims = std::vector<std::vector<int64_t>>;

// An operator applied to shapes, as infer_shapes would do it.
struct Applied {
  Applied(const OpDef& op, Attributes given, std::vector<Shape> inputs, Dims dims = {}) {
    dims.resize(op.weights.size());
    const Status checked = check_attributes(op, given);
    EXPECT_TRUE(checked.ok()) << checked.message();
    attrs = given;
    if (op.resolve) op.resolve(attrs, {given, inputs, dims});
    const Result<Shape> result = op.infer({attrs, inputs, dims});
    status = result.status();
    if (!result.ok()) return;
    shape = *result;
    macs = op.macs({attrs, inputs, dims}, shape);
  }
  Attributes attrs;
  Shape shape;
  uint64_t macs = 0;
  Status status;
};

inline std::string refusal(const Applied& applied) {
  EXPECT_EQ(applied.status.code(), StatusCode::kModelInvalid);
  return applied.status.message();
}

}  // namespace penult
