// X.csv: path,label,<tap>_0,... with RFC 4180 quoting.

#include <charconv>
#include <cmath>
#include <utility>

#include "engine/base/check.h"
#include "engine/output/buffered_writer.h"
#include "engine/output/output_format.h"
#include "engine/output/text.h"

namespace penult {
namespace {

class CsvWriter : public FeatureWriter {
 public:
  CsvWriter(const OutputSpec& spec, AtomicFile file)
      : FeatureWriter(spec), file_(std::move(file)), writer_(file_) {}

  Status start(const OutputSpec& spec) {
    PENULT_RETURN_IF_ERROR(writer_.write("path,label"));
    for (size_t t = 0; t < spec.tables.size(); ++t) {
      for (uint64_t i = 0; i < row_elems()[t]; ++i) {
        const std::string name = csv_field(spec.tables[t].key + "_" + std::to_string(i));
        PENULT_RETURN_IF_ERROR(writer_.write("," + name));
      }
    }
    return writer_.write("\r\n");
  }

 private:
  // The shortest number that reads back as the same float32; "inf", "-inf", "nan".
  Status write_number(float value) {
    if (std::isnan(value)) return writer_.write(",nan");
    char text[32] = {','};
    const std::to_chars_result end = std::to_chars(text + 1, text + sizeof text, value);
    return writer_.write(text, static_cast<size_t>(end.ptr - text));
  }

  Status add(const Rows& rows) override {
    for (size_t i = 0; i < rows.paths.size(); ++i) {
      PENULT_RETURN_IF_ERROR(writer_.write(csv_field(rows.paths[i]) + ","));
      PENULT_RETURN_IF_ERROR(writer_.write(csv_field(rows.labels[i])));
      for (size_t t = 0; t < rows.tables.size(); ++t) {
        const uint64_t elems = row_elems()[t];
        for (const float value : rows.tables[t].subspan(i * elems, elems)) {
          PENULT_RETURN_IF_ERROR(write_number(value));
        }
      }
      PENULT_RETURN_IF_ERROR(writer_.write("\r\n"));
    }
    return {};
  }

  Status complete(const std::string&) override {
    PENULT_RETURN_IF_ERROR(writer_.flush());
    return file_.commit();
  }

  AtomicFile file_;
  BufferedWriter writer_;
};

}  // namespace

Result<std::unique_ptr<FeatureWriter>> create_csv_writer(const OutputSpec& spec) {
  PENULT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(spec.path, spec.existing));
  auto writer = std::make_unique<CsvWriter>(spec, std::move(file));
  PENULT_RETURN_IF_ERROR(writer->start(spec));
  return std::unique_ptr<FeatureWriter>(std::move(writer));
}

}  // namespace penult
