// Runs a fuzz target over the files of folders: replay FOLDER... Prints their number; a broken
// promise or a sanitizer ends the process. Where the target has a mutator of its own, it also runs
// on what that makes of each file: always the same.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/target.h"

#pragma weak LLVMFuzzerCustomMutator

// Stands in for libFuzzer's: changes one byte.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  if (size > 0) data[(state >> 33) % size] ^= static_cast<uint8_t>(1 + (state >> 25) % 255);
  return size;
}

namespace {

constexpr unsigned kMutations = 4;  // of each file

std::vector<uint8_t> bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void run(const std::vector<uint8_t>& bytes) {
  const std::vector<uint8_t> exact(bytes);  // its end is the end of a block: sanitizers watch it
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void run_with_mutations(const std::vector<uint8_t>& bytes) {
  run(bytes);
  if (LLVMFuzzerCustomMutator == nullptr) return;
  for (unsigned seed = 1; seed <= kMutations; ++seed) {
    std::vector<uint8_t> changed = bytes;
    changed.resize(2 * bytes.size() + 64);
    changed.resize(LLVMFuzzerCustomMutator(changed.data(), bytes.size(), changed.size(), seed));
    run(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], error)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& file : files) {
    std::fprintf(stderr, "%s\n", file.c_str());
    run_with_mutations(bytes_of(file));
  }
  std::printf("%zu files replayed\n", files.size());
  return files.empty() ? 1 : 0;
}
