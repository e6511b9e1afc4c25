#pragma once

// What the <op>_onednn.cpp files need to put an operator of oneDNN into a table. All memory that
// oneDNN sees is dense nhwc f32: for other strides it has nothing but its reference (measured with
// 2.6.3 and 3.2.0: `ref:any` for a halo or a channel gap). prepared.cpp copies where ours differ.

#include <string>

#include "kernels/kernel.h"
#include "kernels/onednn/dnnl.h"
#include "kernels/prepared.h"

namespace penult::kernels::onednn {

const dnnl::engine& engine();

// Ours, padding included, which makes a buffer without a halo dense. The padded channels of a
// result come from zero weights or are never looked at.
int64_t padded_channels(int64_t c);

MemoryDesc map_desc(int64_t n, int64_t c, const Shape& shape);  // (n, c, h, w) in nhwc
MemoryDesc vector_desc(int64_t n, int64_t c);
// In whatever layout oneDNN likes best.
MemoryDesc weights_desc(const Dims& dims);
MemoryDesc bias_desc(int64_t c);

// The epilogue as post-ops in our order: after the bias, residual, then activation; and a
// scratchpad of ours, since the library's own is not thread-safe.
dnnl::primitive_attr attributes(const Problem& problem, const MemoryDesc& dst);

// The operator's primitive for n images. Looks at shapes, attributes and epilogue only; throws
// dnnl::error.
using Describe = dnnl::primitive_desc_base (*)(const Problem& problem, int64_t n);

// Why not: the epilogue, or oneDNN refuses, or it has its reference only.
std::string declines_described(const Problem& problem, Describe describe);
Result<std::unique_ptr<PreparedKernel>> prepare_described(const PrepareArgs& args,
                                                          Describe describe);

// A row; kDeclines says what the operator's file itself refuses.
template <Describe kDescribe, std::string (*kDeclines)(const Problem&) = accepts_all>
constexpr Kernel row(const char* name) {
  return {.name = name,
          .backend = Backend::kOnednn,
          .isa = Isa::kScalar,
          .declines =
              [](const Problem& problem) {
                std::string reason = kDeclines(problem);
                return reason.empty() ? declines_described(problem, kDescribe) : reason;
              },
          .prepare = [](const PrepareArgs& args) { return prepare_described(args, kDescribe); }};
}

}  // namespace penult::kernels::onednn
