#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/output/feature_writer.h"
#include "engine/output/npy.h"

namespace penult {
namespace {

// Provenance, paths and labels. Bytes that are not UTF-8 become U+FFFD: JSON has no other text.
Result<std::string> describe(const Features& features) {
  try {
    nlohmann::ordered_json json;
    json["provenance"] = nlohmann::ordered_json::parse(features.provenance);
    json["paths"] = features.paths;
    json["labels"] = features.labels;
    return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  } catch (const std::exception& e) {
    return Status(StatusCode::kInternal, concat("provenance: ", escape_name(e.what())));
  }
}

}  // namespace

std::string json_beside(const std::string& npy_path) {
  const size_t dot = npy_path.rfind('.');
  return npy_path.substr(0, dot) + ".json";
}

Status write_npy(const Features& features, const std::string& path) {
  if (features.tables.size() != 1) {
    return Status(StatusCode::kInvalidArgument,
                  concat(".npy holds one tap, got ", features.tables.size(), "; write an .npz"));
  }
  const FeatureTable& table = features.tables[0];
  PENULT_ASSIGN_OR_RETURN(const std::string text, describe(features));
  std::vector<int64_t> dims = {static_cast<int64_t>(features.paths.size())};
  dims.insert(dims.end(), table.dims.begin(), table.dims.end());
  const std::string header = npy_header("<f4", dims);
  // Both are complete on the disk before either gets its name.
  PENULT_ASSIGN_OR_RETURN(AtomicFile json, AtomicFile::create(json_beside(path)));
  PENULT_RETURN_IF_ERROR(json.write(text.data(), text.size()));
  PENULT_ASSIGN_OR_RETURN(AtomicFile npy, AtomicFile::create(path));
  PENULT_RETURN_IF_ERROR(npy.write(header.data(), header.size()));
  PENULT_RETURN_IF_ERROR(npy.write(table.values.data(), table.values.size() * sizeof(float)));
  PENULT_RETURN_IF_ERROR(npy.commit());
  const Status status = json.commit();
  if (!status.ok()) static_cast<void>(std::remove(path.c_str()));
  return status;
}

}  // namespace penult
