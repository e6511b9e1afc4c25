#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "engine/graph/graph.h"

namespace penult {

// One tensor's place in the weights section.
struct WeightRange {
  std::string name;
  uint64_t offset = 0;  // from the start of the file
  uint64_t bytes = 0;
  std::vector<uint32_t> block_crc32c;
};

// Reads tensors of an open .penult file; every block's checksum is verified when it is read.
class WeightFile : public WeightSource {
 public:
  WeightFile(InputFile file, std::vector<WeightRange> ranges)
      : file_(std::move(file)), ranges_(std::move(ranges)) {}

  // Errors of reading: ChecksumMismatch, FormatCorrupt (padding not zero), Io.
  std::unique_ptr<WeightStream> open(WeightId id) const override;
  const std::vector<WeightRange>& ranges() const { return ranges_; }

 private:
  InputFile file_;
  std::vector<WeightRange> ranges_;
};

}  // namespace penult
