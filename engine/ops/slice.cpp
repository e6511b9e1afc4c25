// dst[c,h,w] = src[begin + c, h, w] for c < end - begin: x[:, begin:end] of torch. Input: a map or
// a vector of at least `end` channels; output: one of end - begin channels.

#include "engine/base/text.h"
#include "engine/graph/graph.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

constexpr std::array kAttributes = {AttributeSpec::ints("begin", 1, 0, Graph::kMaxDim),
                                    AttributeSpec::ints("end", 1, 0, Graph::kMaxDim)};

Result<Shape> infer(const OpArgs& args) {
  Shape dst = args.inputs[0];
  const int64_t begin = args.attrs.get_int("begin"), end = args.attrs.get_int("end");
  if (begin >= end || end > dst.c) {
    return Status(StatusCode::kModelInvalid,
                  concat("channels: expected begin < end <= ", dst.c, " for input ",
                         dst.to_string(), ", got begin ", begin, " and end ", end));
  }
  dst.c = end - begin;
  return dst;
}

}  // namespace

const OpDef kSlice = {.name = "slice",
                      .inputs = 1,
                      .attributes = kAttributes,
                      .weights = {},
                      .infer = infer,
                      .macs = no_macs};

}  // namespace penult
