#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/file.h"

namespace penult {

// Gathers small pieces, so that the file sees few calls. The file outlives it and stays where it
// is.
class BufferedWriter {
 public:
  static constexpr size_t kBytes = size_t{1} << 18;

  explicit BufferedWriter(OutputFile& file, size_t bytes = kBytes) : file_(file), bytes_(bytes) {}

  Status write(const void* data, size_t bytes);  // what is larger than the buffer goes past it
  Status write(std::string_view text) { return write(text.data(), text.size()); }
  Status flush();

 private:
  OutputFile& file_;
  size_t bytes_;
  std::vector<uint8_t> waiting_;
};

}  // namespace penult
