#pragma once

#include <string>

#include "engine/model/model_data.h"

namespace penult::testing {

// Convolution, batchnorm, ReLU6, residual add, pooling and classifier for 8 x 8 pixels, with taps,
// aliases and a group: a file of 4 KB. The same seed gives the same model.
ModelData tiny_model(uint32_t seed = 1);

// A file in a folder of its own, which goes with it.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();

  const std::string& path() const { return path_; }
  std::string content() const;
  void write(const std::string& bytes) const;
  // Replaces bytes in place.
  void patch(size_t offset, const std::string& bytes) const;
  void resize(size_t bytes) const;
  size_t files_in_folder() const;

 private:
  std::string folder_, path_;
};

}  // namespace penult::testing
