#pragma once

// Weights that an ONNX file keeps in other files. A file could name any path of this machine: only
// a plain name beside the model is taken, of a regular file and no link, and only if asked for.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "penult/status.h"

namespace penult::onnx_file {
class Tensor;
}

namespace penult::converters::onnx {

class ExternalData {
 public:
  ExternalData(const std::string& model_path, bool allowed);

  // The `bytes` bytes that the tensor's entries (location, offset, length) point to. Errors:
  // FormatUnsupported (not allowed), FormatCorrupt, NotFound or Io of the other file.
  Result<std::vector<uint8_t>> read(const onnx_file::Tensor& tensor, uint64_t bytes);

  // Names of the files that were read.
  const std::set<std::string>& files() const { return files_; }

 private:
  std::string folder_;
  bool allowed_;
  std::set<std::string> files_;
  // Bytes read of each file, by device and inode. More than it has: a few would stand for many.
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> used_;
};

}  // namespace penult::converters::onnx
