#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "penult/preprocess.h"
#include "penult/status.h"

namespace penult {

struct ModelData;

/// One place at which features can be taken, at a given input size.
struct TapInfo {
  std::string name;                  ///< main name, such as "features.14.conv.3"
  std::vector<std::string> aliases;  ///< other names of the same place, modules' included
  std::string op;                    ///< operator that produces the value
  int64_t c = 0, h = 1, w = 1;       ///< shape of one image's value; h = w = 1 and rank 1: a vector
  int rank = 3;                      ///< 3: map (c, h, w); 1: vector (c)
  uint64_t macs = 0;                 ///< multiply-accumulates up to and including this tap
  double macs_share = 0;             ///< of the whole network, 0..1
  uint64_t weights = 0;              ///< weight scalars needed up to this tap
  double weights_share = 0;          ///< of the whole network, 0..1
  /// Side of the square of input pixels on which one value can depend, padding included, so that it
  /// may exceed the input. The larger of height and width; where paths join, it spans both.
  int64_t receptive_field = 1;
  /// True behind a global pooling or flattening: receptive_field is the input's larger side then.
  bool sees_whole_input = false;
  int64_t stride = 1;  ///< input pixels between neighbours of the map; 0 of a vector
};

/// A converted network, as loaded from a .penult file. Immutable and safe to share between threads;
/// extractors keep it alive. Weights are read (and their checksums verified) when an extractor is
/// made, and only those of layers that it needs.
class Model {
 public:
  struct LoadOptions {
    /// Read and verify every weight block now. false: each block is verified when it is first used.
    bool verify_all_weights = false;
  };

  /// Errors: NotFound, Io, FormatCorrupt, FormatUnsupported, VersionTooNew, ChecksumMismatch,
  /// ModelInvalid, LimitExceeded, OutOfMemory.
  static Result<std::shared_ptr<const Model>> load(const std::string& path, LoadOptions options);
  static Result<std::shared_ptr<const Model>> load(const std::string& path);
  /// Takes a model built in memory, as importers make them.
  static Result<std::shared_ptr<const Model>> from_data(ModelData data);

  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::string& architecture() const;
  const std::string& weights_name() const;
  const std::string& model_id() const;  ///< hex SHA-256 over graph part and checksum table
  const Preprocess& preprocess() const;
  int64_t input_h() const;  ///< default input height in pixels
  int64_t input_w() const;

  /// All taps in execution order, with shapes and costs at the given input size.
  /// InvalidArgument if the network cannot run at that size.
  Result<std::vector<TapInfo>> taps(int64_t input_h, int64_t input_w) const;
  Result<std::vector<TapInfo>> taps() const { return taps(input_h(), input_w()); }

  /// Main names that `name` stands for: one tap, or several for `blocks` and `all`.
  /// NotFound carries the nearest names.
  Result<std::vector<std::string>> resolve(const std::string& name) const;

  const ModelData& data() const { return *data_; }  ///< for penult's own tools

 private:
  explicit Model(std::unique_ptr<ModelData> data);
  std::unique_ptr<ModelData> data_;
};

}  // namespace penult
