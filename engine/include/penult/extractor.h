#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "penult/model.h"
#include "penult/status.h"

namespace penult {

/// How a map (c, h, w) becomes the delivered feature. A vector is left alone.
enum class Pooling : int32_t {
  kAvg = 0,      ///< mean over h, w -> (c)
  kMax = 1,      ///< maximum over h, w -> (c)
  kFlatten = 2,  ///< (c*h*w), in (c, h, w) order
  kNone = 3,     ///< the map itself, (c, h, w)
  kGem = 4,      ///< generalized mean: (mean over h, w of max(x, eps)^p)^(1/p) -> (c)
  kAvgStd = 5,   ///< mean over h, w, then sqrt(mean of (x - mean)^2) -> (2*c): all means come first
  kGrid2x2 = 6,  ///< means over 2 by 2 overlapping bins, as PyTorch's adaptive_avg_pool2d makes
                 ///< them -> (4*c), in (c, 2, 2) order
};
inline constexpr float kGemPower = 3, kGemEps = 1e-6F;

/// The names of the command line, by number: "avg", "max", ...
std::vector<std::string> pooling_names();
Result<Pooling> pooling_from_name(const std::string& name);
const char* pooling_name(Pooling pooling);

struct ExtractorOptions {
  std::vector<std::string> taps = {"penultimate"};  ///< names as Model::resolve takes them
  Pooling pooling = Pooling::kAvg;
  int64_t max_batch = 8;         ///< images in one run() at most; decides the memory
  int threads = 1;               ///< threads of run(), this one included
  std::string backend = "auto";  ///< "auto" = "native"; "onednn", "cudnn", "reference"
  /// Where to compute: "cpu", "cuda" or "cuda:N" (an NVIDIA GPU), "emulated" (the kernels for
  /// GPUs, thread by thread on the processor: slow, for debugging).
  std::string device = "cpu";
  std::string precision = "f32";  ///< of the computation; "f16": on a GPU only
  /// The table that says how each layer is computed, part of the features' bits: "latency", for an
  /// image at a time, "throughput", for batches.
  std::string numerics = "latency";
  int64_t input_h = 0;  ///< 0: the model's default
  int64_t input_w = 0;
};

/// What one tap delivers.
struct OutputInfo {
  std::string key;            ///< the name as asked for (main name if the name stood for several)
  std::string name;           ///< the tap's main name
  std::vector<int64_t> dims;  ///< of one image: (d), or (c, h, w) with Pooling::kNone
  int64_t elems = 0;          ///< product of dims
};

/// One step of a run, in which several layers may be fused.
struct StepInfo {
  std::string name;               ///< of what it yields, such as "features.14.conv.3"
  std::string kernel;             ///< that computes it; "copy_input", "deliver" at the two ends
  std::vector<std::string> taps;  ///< taps (main names) whose layers are done with this step
  /// "<kernel>: <reason>" for each kernel that would be preferred but cannot do it.
  std::vector<std::string> declined;
  /// Multiply-adds with weights that the kernel needs for one image; Winograd's need fewer than the
  /// layer has. 0 of the steps at the two ends and of layers without weights.
  int64_t macs = 0;
};

/// Runs a network up to the last tap asked for, and nothing after it. Everything that can fail is
/// done in create(), share() and reshape(). An object serves one thread at a time; threads that run
/// at the same time each take a share() of it, which costs a workspace but no second copy of the
/// weights. No call changes the CUDA device of the thread that makes it.
class Extractor {
 public:
  /// Errors: NotFound (tap, backend), InvalidArgument, ModelInvalid, LimitExceeded, OutOfMemory,
  /// ChecksumMismatch, Io, Device (backend onednn or cudnn: not installed here; device cuda: none
  /// here, or it failed).
  static Result<std::unique_ptr<Extractor>> create(std::shared_ptr<const Model> model,
                                                   const ExtractorOptions& options);
  ~Extractor();

  /// What create() would say of the backend, the device and the like, without a model; it loads
  /// nothing. Errors: InvalidArgument, NotFound (backend).
  static Status check(const ExtractorOptions& options);

  /// What memory_bytes() of create() with these options would be. Plans only: reads no weights and
  /// allocates none of it. Errors: as create(); InvalidArgument of the backend reference.
  static Result<uint64_t> planned_bytes(std::shared_ptr<const Model> model,
                                        const ExtractorOptions& options);

  /// Another extractor with the same options, input size and weights in memory, and a workspace and
  /// threads of its own. May be called while other threads use theirs.
  Result<std::unique_ptr<Extractor>> share() const;

  /// Switches to another input size (pixels) and largest batch; outputs() may change. Plans are
  /// kept for the latest sizes, also for those who share(), so that switching back is cheap. After
  /// an error everything is as before. Errors: as create().
  Status reshape(int64_t input_h, int64_t input_w, int64_t max_batch);

  const std::vector<OutputInfo>& outputs() const;
  int64_t input_h() const;
  int64_t input_w() const;
  const char* isa() const;        ///< ISA class in use: "scalar", "avx2"; on a GPU "cuda"
  const char* backend() const;    ///< "native", "onednn", "cudnn" or "reference"
  std::string device() const;     ///< "cpu", "cuda:0 (NVIDIA A100)", "emulated:0 (emulated)"
  const char* precision() const;  ///< "f32" or "f16"
  std::string numerics() const;   ///< table and its version: "latency-3"; on a GPU "gpu-1"
  int64_t max_batch() const;
  uint64_t memory_bytes() const;  ///< arena, packed weights and scratch at this input size

  /// images: (n, 3, input_h, input_w) float32, already preprocessed (see penult/preprocess.h).
  /// features[i]: n * outputs()[i].elems floats, written image by image.
  /// Allocates nothing (backend native). InvalidArgument on wrong sizes; OutOfMemory from the
  /// reference backend, and from the first run in a child after fork() if no threads are granted;
  /// Device or OutOfMemory from oneDNN, which does not run in a child of a process that has run it
  /// with several threads; Device from a GPU that fails.
  Status run(std::span<const float> images, int64_t n, std::span<const std::span<float>> features);
  /// The same from 8-bit RGB crops, (n, input_h, input_w, 3), r first whatever the network wants:
  /// the model's preprocess() of bytes, (x / 255 - mean) / std and the order of channels, is part
  /// of the run. The features have the bits of run() on floats normalised before. Errors: as run().
  Status run_rgb8(std::span<const uint8_t> images, int64_t n,
                  std::span<const std::span<float>> features);

  /// The steps of run(), in order. Empty with the backend reference.
  std::vector<StepInfo> steps() const;
  /// As run(), with the same bits; step_ms[i] receives the milliseconds of steps()[i], by the clock
  /// of the calling thread: from the end of the step before until every thread has finished this
  /// one. Their sum is the time of the run. InvalidArgument of the backend reference.
  Status profile(std::span<const float> images, int64_t n,
                 std::span<const std::span<float>> features, std::span<double> step_ms);

 private:
  struct Impl;
  explicit Extractor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace penult
