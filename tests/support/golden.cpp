#include "tests/support/golden.h"

#include <fstream>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"

namespace penult::testing {
namespace {

Status check_manifest(const std::string& file) {
  std::ifstream manifest(PENULT_GOLDEN_DIR "/MANIFEST");
  for (std::string line; std::getline(manifest, line);) {
    if (!line.starts_with(file + " ")) continue;
    const std::string want = line.substr(file.size() + 1, 64);
    PENULT_ASSIGN_OR_RETURN(const std::string got,
                            sha256_of_file(concat(PENULT_GOLDEN_DIR "/", file)));
    if (got == want) return {};
    return {StatusCode::kChecksumMismatch,
            concat(file, ": SHA-256 is ", got, ", MANIFEST says ", want)};
  }
  return {StatusCode::kNotFound, concat(file, " is not in tests/golden/MANIFEST")};
}

}  // namespace

Result<Golden> load_golden(const std::string& name) {
  PENULT_RETURN_IF_ERROR(check_manifest(name + ".npz"));
  return read_golden(concat(PENULT_GOLDEN_DIR "/", name, ".npz"));
}

Result<std::map<std::string, NpyArray>> read_golden_arrays(const std::string& name) {
  PENULT_RETURN_IF_ERROR(check_manifest(name + ".npz"));
  return read_npz(concat(PENULT_GOLDEN_DIR "/", name, ".npz"));
}

std::vector<std::string> golden_names() {
  constexpr std::string_view kSuffix = ".npz";
  std::ifstream manifest(PENULT_GOLDEN_DIR "/MANIFEST");
  std::vector<std::string> names;
  for (std::string line; std::getline(manifest, line);) {
    const std::string file = line.substr(0, line.find(' '));
    const bool other = file == "architectures.npz" || file == "pillow_images.npz";
    if (!file.ends_with(kSuffix) || other) continue;
    names.push_back(file.substr(0, file.size() - kSuffix.size()));
  }
  return names;
}

}  // namespace penult::testing
