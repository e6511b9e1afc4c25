#pragma once

// From a rewritten graph to a flat, immutable list of steps over one arena.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/graph/graph.h"
#include "engine/passes/passes.h"
#include "kernels/backend_module.h"
#include "kernels/kernel.h"
#include "kernels/numerics.h"
#include "kernels/prepared.h"
#include "penult/extractor.h"

namespace penult {

struct PlanOptions {
  Isa isa = Isa::kScalar;
  int64_t max_batch = 1;
  int threads = 1;
  // Or a library's, and ours for what it declines.
  kernels::Backend backend = kernels::Backend::kNative;
  kernels::DeviceKind device = kernels::DeviceKind::kCpu;
  int device_index = 0;
  kernels::Precision precision = kernels::Precision::kF32;  // of all buffers
  kernels::Numerics numerics = kernels::Numerics::kLatency;
  uint64_t memory_budget_bytes = uint64_t{1} << 30;  // for arena, scratch and rings
  uint64_t cache_bytes = uint64_t{1} << 20;          // of a processor, for itself alone: the L2
  // A cache_bytes of 1 to 8: every chain there can be, so many rows at a time. For tests of bits.
  enum : uint64_t { kEveryChain = 8 };
  int64_t images_at_once = 0;  // 0: as choose_images_at_once says
};

// What a caller wants to receive: `value`, as it is. Feature i of run() is the i-th.
struct Delivery {
  ValueId value = kNoValue;
  Pooling pooling = Pooling::kNone;  // kAvg has become a node already: see add_average_pools
};

// A value's place: floats of image 0 start at offset_bytes (halo included) in the arena, or, if it
// is a ring, in each thread's memory for rings.
struct Buffer {
  kernels::TensorDesc desc;
  uint64_t offset_bytes = 0;
  // From the buffer's first float to pixel (0,0) of image 0.
  int64_t origin_floats() const {
    return desc.halo.top * desc.row_stride + desc.halo.left * desc.pixel_stride;
  }
};

struct Step {
  enum class Kind {
    kInput,    // caller's images -> dst
    kKernel,   // kernel->run, or what `prepared` has bound
    kDeliver,  // src[0] -> the caller's feature `delivery`
  };
  Kind kind = Kind::kKernel;
  std::string name;
  const kernels::Kernel* kernel = nullptr;
  std::unique_ptr<const kernels::PreparedKernel> prepared;  // where the kernel wants to prepare
  kernels::Problem problem;
  std::vector<int> src;  // indices of buffers
  int residual = -1;
  int dst = -1;
  uint64_t packed_offset = 0;
  int delivery = -1;
  // "<kernel>: <reason>" of faster kernels that declined, or refused to prepare.
  std::vector<std::string> refusals;
};

// Steps first to last, which a thread takes through its rows of the last one's dst together.
struct Chain {
  enum : int { kMaxSteps = 8 };
  int first = 0, last = 0;
  int64_t band_rows = 1;                         // of the last dst at a time
  std::vector<kernels::RowWindow> windows = {};  // of each step, of which the first is not used
};

// Weights as kernels want them, in execution order: here or, if the kernels run there, in a
// device's memory. Neither is there in a plan that was only laid out.
struct PackedWeights {
  std::shared_ptr<const AlignedBuffer> host;
  std::shared_ptr<const kernels::DeviceMemory> device;
};

// Immutable; may be shared by threads, each with its own Workspace (engine/exec/executor.h).
struct Plan {
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  std::vector<Chain> chains;  // in the order of their steps, of which no two share one
  std::vector<Delivery> deliveries;
  std::shared_ptr<kernels::Device> device;  // if the kernels run on one
  // Plans that differ in the batch only share them where our own kernels compute; what a library
  // prepares depends on the batch.
  PackedWeights packed;
  uint64_t packed_bytes = 0;
  Shape input;
  uint64_t arena_bytes = 0;
  uint64_t scratch_bytes = 0;  // of one thread
  uint64_t ring_bytes = 0;     // of one thread
  uint64_t staging_bytes = 0;  // on a device: images and features on their way
  // Images that go through all steps together; a larger batch goes in several such groups. It
  // decides memory and time and no bit.
  int64_t images_at_once = 1;
  PlanOptions options;
  const kernels::BackendModule* module = nullptr;  // null: native, on the processor

  // Of buffers and packed weights, in bytes: on a device that of its own allocations.
  uint64_t alignment() const { return runs_on_device() ? 256 : 64; }
  bool runs_on_device() const { return options.device != kernels::DeviceKind::kCpu; }

  // What a run needs: activations, weights and scratch.
  uint64_t memory_bytes() const {
    return arena_bytes + packed_bytes + staging_bytes +
           (scratch_bytes + ring_bytes) * static_cast<uint64_t>(options.threads);
  }
};

// The node as kernels see it, shapes only.
kernels::Problem describe(const Graph& graph, const Node& node);

// Picks a kernel for each node: the first of the operator's tables, the module's (if there is one)
// before ours, that runs on options.isa and does not decline; of ours, one of the layer's numeric
// class. On a device, one of the module's with the precision wanted. ModelInvalid lists every
// refusal if none accepts.
Result<std::vector<Step>> select_kernels(const Graph& graph, const PlanOptions& options,
                                         const kernels::BackendModule* module = nullptr);

// Gives every value a buffer whose halo satisfies all its readers, and completes the problems.
// Channels are padded to a multiple of `channel_pad`.
void choose_layout(const Graph& graph, std::vector<Step>& steps, std::vector<Buffer>& buffers,
                   int64_t channel_pad = kernels::kChannelPad);

// Prepares the steps whose kernels want it, once the layout is known. On a device, a kernel that
// refuses its layer now gives way to the next one of the module's tables, as if it had declined.
// ModelInvalid if none is left, or on the processor, where others may want another layout.
Status prepare_kernels(const PlanOptions& options, const kernels::BackendModule* module,
                       std::vector<Step>& steps);

// Finds the steps that go through a map row by row together, and makes rings of what lies between
// them: engine/plan/choose_chains.cpp says when.
void choose_chains(Plan& plan);

// How many images of a batch go through the steps of a plan together. Weights are read once for
// all of them, which is the reason for many; what a step reads and writes stays in the cache only
// if it fits, which is the reason for few. The number with the fewest bytes that come from outside
// the cache, of 1, 2, 4 and so on up to 4 for each thread, and the whole batch if it is smaller;
// all of it where a library computes.
int64_t choose_images_at_once(const Plan& plan);

// Gives every value that is computed its place in the arena, where nothing is that is still needed;
// a sum the place of its residual, where that is its last use. LimitExceeded above the budget.
Status place_buffers(Plan& plan);

// Kernels, layout and arena: everything but the weights, of which nothing is read. `graph` has been
// through run_passes and its outputs are the deliveries' values. LimitExceeded above the budget,
// Device if the module's library fails.
Result<Plan> lay_out(const Graph& graph, std::vector<Delivery> deliveries,
                     const PlanOptions& options);

// The whole way: lay_out, then packed weights. `packed`, if given, are those of a plan of our own
// kernels for the same graph, and options that differ in the batch only. Errors: as lay_out, and
// those of FoldedWeights.
Result<Plan> make_plan(const Graph& graph, std::vector<Delivery> deliveries,
                       const PlanOptions& options, PackedWeights packed = {});

}  // namespace penult
