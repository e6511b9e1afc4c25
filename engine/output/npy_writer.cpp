// X.npy and X.json.

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/output/npy.h"
#include "engine/output/output_format.h"
#include "engine/output/text.h"

namespace penult {
namespace {

// Indented by one more than the text it is put into.
Result<std::string> indented(const std::string& provenance) {
  try {
    const std::string text = nlohmann::ordered_json::parse(provenance).dump(1);
    std::string out;
    for (const char c : text) {  // line breaks inside of strings are escaped
      out += c;
      if (c == '\n') out += ' ';
    }
    return out;
  } catch (const std::exception& e) {
    return Status(StatusCode::kInternal, concat("provenance: ", escape_name(e.what())));
  }
}

Status write_list(const char* name, const std::vector<std::string>& texts, BufferedWriter& writer) {
  PENULT_RETURN_IF_ERROR(writer.write(concat(",\n \"", name, "\": [")));
  for (size_t i = 0; i < texts.size(); ++i) {
    PENULT_RETURN_IF_ERROR(writer.write((i == 0 ? "\n  " : ",\n  ") + json_string(texts[i])));
  }
  return writer.write(texts.empty() ? "]" : "\n ]");
}

class NpyWriter : public FeatureWriter {
 public:
  NpyWriter(const OutputSpec& spec, AtomicFile npy, AtomicFile json, std::string json_path)
      : FeatureWriter(spec),
        npy_(std::move(npy)),
        json_(std::move(json)),
        json_path_(std::move(json_path)),
        stream_(npy_, spec.element_type, spec.tables[0].dims, BufferedWriter::kBytes) {}

  Status start() { return stream_.start(); }

 private:
  Status add(const Rows& rows) override {
    paths_.insert(paths_.end(), rows.paths.begin(), rows.paths.end());
    labels_.insert(labels_.end(), rows.labels.begin(), rows.labels.end());
    const uint64_t before = stream_.overflows();
    PENULT_RETURN_IF_ERROR(stream_.append(rows.tables[0]));
    count_overflows(stream_.overflows() - before);
    return {};
  }

  Status complete(const std::string& provenance) override {
    PENULT_RETURN_IF_ERROR(stream_.finish(rows()));
    PENULT_ASSIGN_OR_RETURN(const std::string facts, indented(provenance));
    BufferedWriter writer(json_);
    PENULT_RETURN_IF_ERROR(writer.write("{\n \"provenance\": " + facts));
    PENULT_RETURN_IF_ERROR(write_list("paths", paths_, writer));
    PENULT_RETURN_IF_ERROR(write_list("labels", labels_, writer));
    PENULT_RETURN_IF_ERROR(writer.write("\n}\n"));
    PENULT_RETURN_IF_ERROR(writer.flush());
    // Both are complete on the disk before either gets its name. A crash between the two renames
    // leaves the new .json beside no .npy, or beside that of an earlier run.
    PENULT_RETURN_IF_ERROR(npy_.seal());
    PENULT_RETURN_IF_ERROR(json_.commit());
    const Status status = npy_.commit();
    if (!status.ok()) static_cast<void>(::unlink(json_path_.c_str()));
    return status;
  }

  AtomicFile npy_, json_;
  std::string json_path_;
  NpyStream stream_;
  std::vector<std::string> paths_, labels_;
};

}  // namespace

Result<std::unique_ptr<FeatureWriter>> create_npy_writer(const OutputSpec& spec) {
  PENULT_ASSIGN_OR_RETURN(const std::vector<std::string> files, output_files(spec.path));
  PENULT_ASSIGN_OR_RETURN(AtomicFile npy, AtomicFile::create(files[0], spec.existing));
  PENULT_ASSIGN_OR_RETURN(AtomicFile json, AtomicFile::create(files[1], spec.existing));
  auto writer = std::make_unique<NpyWriter>(spec, std::move(npy), std::move(json), files[1]);
  PENULT_RETURN_IF_ERROR(writer->start());
  return std::unique_ptr<FeatureWriter>(std::move(writer));
}

}  // namespace penult
