// Whether a batch goes through the network image by image or together.
//
// The constants fit MobileNetV2, V3-Large and ResNet-50 with one and two threads on an Intel Xeon
// (family 6, model 167, 2 MiB of L2): what they choose is within 3 % of the best of 1, 2, 4 and 8
// (docs/decisions/0010-batch-in-groups.md).

#include <algorithm>

#include "engine/plan/plan.h"

namespace penult {
namespace {

// Threads wait for each other after each step, the longer the less there was to share out. That
// costs as much time as so many bytes from outside the cache.
constexpr uint64_t kBarrierBytes = 256'000;

// For each thread. The weights' share of one image is small then, and the memory bounded whatever
// the batch. Of more, maps leave the cache that processors share, too, which the bytes below do not
// tell apart: 32 instead of 4 cost MobileNetV3-Large a third (docs/decisions/0010).
constexpr int64_t kMostImages = 4;

uint64_t image_bytes(const Plan& plan, int buffer) {
  if (buffer < 0 || plan.buffers[buffer].desc.ring_rows > 0) return 0;
  return static_cast<uint64_t>(plan.buffers[buffer].desc.image_stride) * sizeof(float);
}

// What the step reads and writes of one image.
uint64_t step_bytes(const Plan& plan, const Step& step) {
  uint64_t bytes = image_bytes(plan, step.dst) + image_bytes(plan, step.residual);
  for (const int buffer : step.src) bytes += image_bytes(plan, buffer);
  return bytes;
}

// Bytes for one image that a thread waits for, if `count` images go together: its copy of the
// weights, its share of the activations that do not fit, and the barriers.
uint64_t waited_for(const Plan& plan, int64_t count) {
  const auto images = static_cast<uint64_t>(count);
  const auto threads = static_cast<uint64_t>(plan.options.threads);
  // The rest is for the weights that pass through.
  const uint64_t room = plan.options.cache_bytes / 4 * 3 * threads;
  uint64_t spilled = 0;
  for (const Step& step : plan.steps) {
    const uint64_t bytes = step_bytes(plan, step);
    if (bytes > room / images) spilled += bytes;
  }
  uint64_t meetings = plan.steps.size();
  for (const Chain& chain : plan.chains)
    meetings -= static_cast<uint64_t>(chain.last - chain.first);
  const uint64_t barriers = threads > 1 ? kBarrierBytes * meetings : 0;
  return (plan.packed_bytes + barriers) / images + spilled / threads;
}

}  // namespace

int64_t choose_images_at_once(const Plan& plan) {
  const int64_t batch = plan.options.max_batch;
  if (plan.module != nullptr) return batch;
  const int64_t most = std::min(batch, kMostImages * plan.options.threads);
  int64_t best = most;
  for (int64_t count = 1; count < most; count *= 2) {
    if (waited_for(plan, count) < waited_for(plan, best)) best = count;
  }
  return best;
}

}  // namespace penult
