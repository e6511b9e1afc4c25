#include "converters/architectures/twins.h"

#include <algorithm>
#include <string_view>

#include "converters/architectures/file_names.h"
#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

// Files whose names begin as one twin's, and whose networks are the other.
struct AlsoCalled {
  std::string_view file;
  std::string_view name;
};
constexpr AlsoCalled kAlsoCalled[] = {
    {"efficientnet_b3_pruned", "tf_efficientnet_b3"},
    {"effnetb3_pruned", "tf_efficientnet_b3"},
};

size_t says(const std::string& hint, std::string_view name) {
  size_t most = agreement(hint, name);
  for (const AlsoCalled& other : kAlsoCalled) {
    const size_t end = other.name == name ? agreement(hint, other.file) : 0;
    if (end == other.file.size()) most = std::max(most, end);
  }
  return most;
}

}  // namespace

bool is_the_twin_meant(const std::string& hint, const char* name, const char* twin,
                       bool is_default) {
  if (twin == nullptr) return true;
  const size_t ours = says(hint, name), others = says(hint, twin);
  return ours == others ? is_default : ours > others;
}

std::string note_on_twins(const std::string& hint, const char* name, const char* twin) {
  if (twin == nullptr || hint == name) return "";
  const bool is_named = says(hint, name) > says(hint, twin);
  return concat("padding and batchnorm's eps are those of ", name,
                is_named ? concat(", by the name ", quote(hint)) : std::string(),
                "; the tensors do not tell it from ", twin, ": --arch ", twin, " for that one");
}

}  // namespace penult::converters
