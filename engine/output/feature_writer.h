#pragma once

// Features to files. Knows no graph. Every file appears complete under its name, or not at all.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "penult/status.h"

namespace penult {

// One tap's features: rows x dims, row-major.
struct FeatureTable {
  std::string key;            // the tap's name as asked for
  std::vector<int64_t> dims;  // of one row
  std::vector<float> values;
};

// What a run delivers: row i of every table belongs to paths[i] and labels[i].
struct Features {
  std::vector<FeatureTable> tables;
  std::vector<std::string> paths, labels;  // bytes of the file system
  std::string provenance;                  // JSON text
};

// OUT.npz: one float32 array a table, keyed by its key; `paths` and `labels` as arrays of NumPy
// unicode; `provenance` as one unicode scalar. Loads with numpy.load(allow_pickle=False). Bytes of
// a path that are not UTF-8 become U+DC80..U+DCFF, as Python's os.fsdecode does. Errors:
// InvalidArgument (a key that is no entry name), Io, NoSpace.
Status write_npz(const Features& features, const std::string& path);

// OUT.npy: the one table; OUT.json beside it (the extension replaced): provenance, paths, labels.
// Both or neither. InvalidArgument unless there is exactly one table.
Status write_npy(const Features& features, const std::string& path);
// The name of the JSON file that goes with an .npy.
std::string json_beside(const std::string& npy_path);

struct FailedInput {
  std::string path;
  StatusCode code;
  std::string reason;
};

// path,code,reason with RFC 4180 quoting and a header line. Complete, but without its name until
// the caller commits it: only once the features that it goes with are there.
Result<AtomicFile> stage_errors_csv(std::span<const FailedInput> failures, const std::string& path);

}  // namespace penult
