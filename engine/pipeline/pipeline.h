#pragma once

// Image files to features, all stages at work at the same time: read, decode, resize, net, write.

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "engine/image/image.h"
#include "penult/extractor.h"
#include "penult/preprocess.h"
#include "penult/status.h"

namespace penult {

enum class PipelineStage : int32_t { kRead, kDecode, kResize, kNet, kWrite };
inline constexpr std::array<const char*, 5> kPipelineStageNames = {"read", "decode", "resize",
                                                                   "net", "write"};
// Seconds that the workers spent in each stage, waiting for files included: all together, so that
// their sum is up to `workers` times the duration.
using PipelineSeconds = std::array<double, kPipelineStageNames.size()>;

// How many threads do what. Each worker loads pictures and runs the net on a workspace of its own:
// that keeps all threads busy in all stages, and the bits do not depend on it. On a device, which
// many images fill better than many runs, one worker at a time runs the net, with the whole batch,
// while the others load.
struct PipelineShape {
  int workers = 1;            // threads of the pipeline, the caller's included
  int net_threads = 1;        // of one run of the net; workers * net_threads <= threads
  int64_t images_in_run = 1;  // of one run of the net
  int64_t batch = 1;          // of one run on a device
};
// `batch`: images in the net at a time over all workers, which bounds the memory for activations.
PipelineShape pipeline_shape(size_t inputs, int threads, int64_t batch);

// Where inputs come from and features go to. rows() and failed() are called by one thread at a
// time, each of them in the order of the inputs; path() and check() by several at a time. An error
// that one of them returns ends the pipeline.
class PipelineClient {
 public:
  virtual ~PipelineClient() = default;
  // Of input 0 .. inputs-1; must stay where it is.
  virtual const std::string& path(size_t input) const = 0;
  // features[t]: inputs.size() rows of tap t, to do with as one likes.
  virtual Status rows(std::span<const size_t> inputs, std::span<const std::span<float>> features,
                      const PipelineSeconds& so_far) = 0;
  virtual Status failed(size_t input, const Status& why) = 0;
  // Asked before each piece of work: whether to go on.
  virtual Status check() const = 0;
};

// Runs inputs 0 .. inputs-1 through `extractor`, which is made with shape.net_threads and
// shape.images_in_run, on shape.workers threads; one on a device is reshaped to shape.batch. Files
// of together more than 256 MiB, or pixels that need more to be decoded, are not held at the same
// time. Errors: the client's; OutOfMemory; those of Extractor::run, share and reshape. An image
// that cannot be read is not an error but goes to client.failed().
Result<PipelineSeconds> run_pipeline(size_t inputs, const PipelineShape& shape,
                                     Extractor& extractor, const Preprocess& preprocess,
                                     const DecodeOptions& decode, PipelineClient& client);

}  // namespace penult
