#include "converters/architectures/twins.h"

#include <algorithm>
#include <string_view>

#include "engine/base/text.h"

namespace penult::converters {
namespace {

// Files are called efficientnet-lite0.pth as well as efficientnet_lite0.pth.
std::string normalised(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// One twin's name is the end of the other's: where both are found, the longer one is meant.
bool names(const std::string& hint, std::string_view name, std::string_view twin) {
  const std::string text = normalised(hint);
  if (text.find(name) == std::string::npos) return false;
  return name.size() > twin.size() || text.find(twin) == std::string::npos;
}

}  // namespace

bool is_the_twin_meant(const std::string& hint, const char* name, const char* twin,
                       bool is_default) {
  if (twin == nullptr) return true;
  return names(hint, name, twin) || (is_default && !names(hint, twin, name));
}

std::string note_on_twins(const std::string& hint, const char* name, const char* twin) {
  if (twin == nullptr || hint == name) return "";
  const char* source = names(hint, name, twin) ? ", by the file's name" : "";
  return concat("padding and batchnorm's eps are those of ", name, source,
                "; the tensors do not tell it from ", twin, ": --arch ", twin, " for that one");
}

}  // namespace penult::converters
