#include "converters/architectures/twins.h"

#include "converters/architectures/file_names.h"
#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {

bool is_the_twin_meant(const std::string& hint, const char* name, const char* twin,
                       bool is_default) {
  if (twin == nullptr) return true;
  const size_t ours = agreement(hint, name), others = agreement(hint, twin);
  return ours == others ? is_default : ours > others;
}

std::string note_on_twins(const std::string& hint, const char* name, const char* twin) {
  if (twin == nullptr || hint == name) return "";
  const bool is_named = agreement(hint, name) > agreement(hint, twin);
  return concat("padding and batchnorm's eps are those of ", name,
                is_named ? concat(", by the name ", quote(hint)) : std::string(),
                "; the tensors do not tell it from ", twin, ": --arch ", twin, " for that one");
}

}  // namespace penult::converters
