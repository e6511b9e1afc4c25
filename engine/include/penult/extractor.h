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
};
/// By the names of the command line: "avg", "max", "flatten", "none".
Result<Pooling> pooling_from_name(const std::string& name);
const char* pooling_name(Pooling pooling);

struct ExtractorOptions {
  std::vector<std::string> taps = {"penultimate"};  ///< names as Model::resolve takes them
  Pooling pooling = Pooling::kAvg;
  int64_t max_batch = 8;         ///< images in one run() at most; decides the memory
  int threads = 1;               ///< threads of run(), this one included
  std::string backend = "auto";  ///< "auto" = "native", or "reference"
  int64_t input_h = 0;           ///< 0: the model's default
  int64_t input_w = 0;
};

/// What one tap delivers.
struct OutputInfo {
  std::string key;            ///< the name as asked for (main name if the name stood for several)
  std::string name;           ///< the tap's main name
  std::vector<int64_t> dims;  ///< of one image: (d), or (c, h, w) with Pooling::kNone
  int64_t elems = 0;          ///< product of dims
};

/// Runs a network up to the last tap asked for, and nothing after it. One run() at a time; several
/// extractors may share one model. Everything that can fail is done in create().
class Extractor {
 public:
  /// Errors: NotFound (tap, backend), InvalidArgument, ModelInvalid, LimitExceeded, OutOfMemory,
  /// ChecksumMismatch, Io.
  static Result<std::unique_ptr<Extractor>> create(std::shared_ptr<const Model> model,
                                                   const ExtractorOptions& options);
  ~Extractor();

  const std::vector<OutputInfo>& outputs() const;
  int64_t input_h() const;
  int64_t input_w() const;
  const char* isa() const;        ///< ISA class in use: "scalar", "avx2"
  const char* backend() const;    ///< "native" or "reference"
  uint64_t memory_bytes() const;  ///< arena, packed weights and scratch

  /// images: (n, 3, input_h, input_w) float32, already preprocessed (see penult/preprocess.h).
  /// features[i]: n * outputs()[i].elems floats, written image by image.
  /// Allocates nothing. InvalidArgument on wrong sizes, else Ok. (Backend reference allocates each
  /// value while it runs, and may fail with OutOfMemory.)
  Status run(std::span<const float> images, int64_t n, std::span<const std::span<float>> features);

 private:
  struct Impl;
  explicit Extractor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace penult
