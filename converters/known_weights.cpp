#include "converters/known_weights.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {

extern const char* const kWeightsTable;  // weights.json, embedded by CMake

namespace {

using Json = nlohmann::json;

constexpr size_t kFewestDigits = 8;  // that torchvision's file names have

Status wrong(const std::string& row, const std::string& what) {
  return {StatusCode::kFormatCorrupt, concat("weights ", quote(row), ": ", what)};
}

bool consists_of(const std::string& text, const char* characters) {
  return text.find_first_not_of(characters) == std::string::npos;
}

// Names become file names: nothing that a shell or a file system could take for something else.
bool is_plain(const std::string& name) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= 128 && name[0] != '.' && name[0] != '-' &&
         consists_of(name, kPlain);
}

Status read_text(const Json& row, const char* key, const std::string& name, bool required,
                 std::string& to) {
  const auto found = row.find(key);
  if (found == row.end() && !required) return {};
  if (found == row.end() || !found->is_string()) {
    return wrong(name, concat(quote(key), ": expected a text"));
  }
  to = found->get<std::string>();
  return to.empty() ? wrong(name, concat(quote(key), " is empty")) : Status();
}

Status read_aliases(const Json& row, KnownWeights& to) {
  const Json aliases = row.value("aliases", Json::array());
  if (!aliases.is_array()) return wrong(to.name, "\"aliases\": expected an array");
  for (const Json& alias : aliases) {
    if (!alias.is_string() || !is_plain(alias)) {
      return wrong(to.name, "\"aliases\": expected names of letters, digits, dots and dashes");
    }
    to.aliases.push_back(alias);
  }
  return {};
}

Status check_row(const KnownWeights& row) {
  if (!is_plain(row.name)) return wrong(row.name, "the name is not letters, digits, dots, dashes");
  if (!is_plain(row.file)) return wrong(row.name, "\"file\" is not letters, digits, dots, dashes");
  if (row.url.empty() == row.inside.empty()) {
    return wrong(row.name, "expected one of \"url\" and \"inside\"");
  }
  const bool digits = row.sha256.size() >= kFewestDigits && row.sha256.size() <= 64 &&
                      consists_of(row.sha256, "0123456789abcdef");
  if (!digits) return wrong(row.name, "\"sha256\": expected 8 to 64 hexadecimal digits");
  return {};
}

Result<KnownWeights> parse_row(const Json& row) {
  KnownWeights known;
  if (!row.is_object()) return wrong("", "expected an object for each file");
  PENULT_RETURN_IF_ERROR(read_text(row, "name", "", true, known.name));
  const std::string& name = known.name;
  PENULT_RETURN_IF_ERROR(read_aliases(row, known));
  PENULT_RETURN_IF_ERROR(read_text(row, "arch", name, true, known.arch));
  PENULT_RETURN_IF_ERROR(read_text(row, "weights", name, true, known.weights));
  PENULT_RETURN_IF_ERROR(read_text(row, "file", name, true, known.file));
  PENULT_RETURN_IF_ERROR(read_text(row, "url", name, false, known.url));
  PENULT_RETURN_IF_ERROR(read_text(row, "inside", name, false, known.inside));
  PENULT_RETURN_IF_ERROR(read_text(row, "sha256", name, true, known.sha256));
  PENULT_RETURN_IF_ERROR(read_text(row, "licence", name, true, known.licence));
  PENULT_RETURN_IF_ERROR(read_text(row, "preprocess", name, true, known.preprocess));
  if (const auto bytes = row.find("bytes"); bytes != row.end()) {
    if (!bytes->is_number_unsigned()) return wrong(name, "\"bytes\": expected a whole number");
    known.bytes = bytes->get<uint64_t>();
  }
  PENULT_RETURN_IF_ERROR(check_row(known));
  return known;
}

}  // namespace

Result<std::vector<KnownWeights>> parse_weights_table(std::string_view json) {
  const Json root = Json::parse(json, nullptr, false);
  if (!root.is_array()) return wrong("", "expected a JSON array of objects");
  std::vector<KnownWeights> table;
  for (const Json& row : root) {
    PENULT_ASSIGN_OR_RETURN(KnownWeights known, parse_row(row));
    table.push_back(std::move(known));
  }
  return table;
}

std::span<const KnownWeights> all_known_weights() {
  static const std::vector<KnownWeights> kTable = [] {
    auto table = parse_weights_table(kWeightsTable);
    // Well formed, as a test says.
    return table.ok() ? std::move(*table) : std::vector<KnownWeights>();
  }();
  return kTable;
}

const KnownWeights* find_known_weights(const std::string& sha256) {
  for (const KnownWeights& known : all_known_weights()) {
    if (sha256.starts_with(known.sha256)) return &known;
  }
  return nullptr;
}

Result<const KnownWeights*> find_weights(std::span<const KnownWeights> table,
                                         const std::string& name) {
  std::vector<std::string> names;
  for (const KnownWeights& known : table) {
    const auto alias = std::find(known.aliases.begin(), known.aliases.end(), name);
    if (name == known.name || alias != known.aliases.end()) return &known;
    names.push_back(known.name);
    names.insert(names.end(), known.aliases.begin(), known.aliases.end());
  }
  std::string near;
  for (const std::string& each : nearest_names(name, names, 3)) {
    near += concat(near.empty() ? "; the nearest names are " : ", ", each);
  }
  return Status(StatusCode::kNotFound, concat("no weights are called ", quote(name), near,
                                              "; `penult fetch --list` lists all"));
}

}  // namespace penult::converters
