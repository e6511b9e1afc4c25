#pragma once

// What fuzz targets share. A target is one file that defines LLVMFuzzerTestOneInput, and may define
// LLVMFuzzerCustomMutator; with libFuzzer (preset fuzz) it searches, with replay_main.cpp it runs
// over files that are there.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

namespace penult::fuzz {

// Ends the process as a crash does, so that the input is kept.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

// A regular file in memory, for readers that take a path. One for the whole process.
class MemoryFile {
 public:
  static MemoryFile& instance();
  void replace(std::span<const uint8_t> bytes);
  const std::string& path() const { return path_; }

 private:
  MemoryFile();
  int fd_;
  std::string path_;
};

}  // namespace penult::fuzz

extern "C" {
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Makes another input of `data`, which has room for max_size bytes; returns its size.
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed);
// libFuzzer's own, for mutators to call.
size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
}
