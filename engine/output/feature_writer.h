#pragma once

// Features to files, row by row. Knows no graph. Every file appears complete under its name, or not
// at all. docs/outputs.md says what is in them.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "penult/status.h"

namespace penult {

// One tap's array.
struct TableInfo {
  std::string key;            // the tap's name as asked for
  std::vector<int64_t> dims;  // of one row
};

enum class ElementType : int32_t { kF32, kF16 };
const char* element_type_name(ElementType type);  // "f32", "f16"

struct OutputSpec {
  std::string path;
  std::vector<TableInfo> tables;
  ElementType element_type = ElementType::kF32;
  Existing existing = Existing::kReplaced;  // a file that is there, or comes before finish()
};

// Rows, in the order in which they are to stand in the file. Nothing appears under its name before
// finish(); destroyed without it, everything temporary is gone. Memory: the paths and labels of all
// rows (.csv: none), and buffers of at most 16 MiB together; nothing of the features. One thread at
// a time.
class FeatureWriter {
 public:
  virtual ~FeatureWriter() = default;
  FeatureWriter(const FeatureWriter&) = delete;
  FeatureWriter& operator=(const FeatureWriter&) = delete;

  // paths.size() rows: tables[t] holds the rows of table t, float32. The caller may reuse
  // everything afterwards. Errors: InvalidArgument (sizes that do not agree; nothing was taken),
  // Io, NoSpace. After the latter two append() and finish() repeat them.
  Status append(std::span<const std::string> paths, std::span<const std::string> labels,
                std::span<const std::span<const float>> tables);

  // Completes the files and gives them their names. `provenance` is JSON text; .csv has no place
  // for it. Errors: Io, NoSpace, Internal (text that is no JSON), InvalidArgument (a file that is
  // to be kept came meanwhile). To be called once, at the end.
  Status finish(const std::string& provenance);

  int64_t rows() const { return rows_; }
  // Finite values so far that float16 cannot hold, which became infinity.
  uint64_t overflows() const { return overflows_; }

 protected:
  struct Rows {
    std::span<const std::string> paths, labels;
    std::span<const std::span<const float>> tables;
  };

  explicit FeatureWriter(const OutputSpec& spec);
  virtual Status add(const Rows& rows) = 0;
  virtual Status complete(const std::string& provenance) = 0;
  void count_overflows(uint64_t more) { overflows_ += more; }
  const std::vector<uint64_t>& row_elems() const { return elems_; }  // by table

 private:
  Status check_sizes(const Rows& rows) const;

  std::vector<TableInfo> tables_;
  std::vector<uint64_t> elems_;  // of one row, by table
  int64_t rows_ = 0;
  uint64_t overflows_ = 0;
  Status status_;  // the first error; what came later would leave a gap
};

// The format follows from the path's ending: see output_format.h, whose check_output_spec() it
// asks. Errors: InvalidArgument (also a key that cannot be an array's name, or is there twice), Io,
// NotFound (no such folder), NoSpace.
Result<std::unique_ptr<FeatureWriter>> create_feature_writer(const OutputSpec& spec);

struct FailedInput {
  std::string path;
  StatusCode code;
  std::string reason;
};

// path,code,reason with RFC 4180 quoting and a header line. Complete, but without its name until
// the caller commits it: only once the features that it goes with are there.
Result<AtomicFile> stage_errors_csv(std::span<const FailedInput> failures, const std::string& path,
                                    Existing existing);

}  // namespace penult
