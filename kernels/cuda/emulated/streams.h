#pragma once

// What a gpu::Stream points to. Work is done when it is given, unless the stream records.

#include <functional>
#include <vector>

#include "kernels/cuda/gpu_types.h"

namespace penult::gpu::emulated {

using Work = std::function<Error()>;

struct StreamState {
  bool records = false;
  std::vector<Work> recorded;
};

// Null is a stream, too, which never records.
inline Error give(Stream stream, Work work) {
  auto* state = static_cast<StreamState*>(stream);
  if (state == nullptr || !state->records) return work();
  state->recorded.push_back(std::move(work));
  return 0;
}

}  // namespace penult::gpu::emulated
