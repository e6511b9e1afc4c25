// X.npz. Several arrays grow at the same time, and an archive holds one after the other: each grows
// in a file without a name, from which the archive is made at the end.

#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/output/npy.h"
#include "engine/output/output_format.h"

namespace penult {
namespace {

// Archives of the same features are the same bytes: midnight of 1980-01-01, in any time zone,
// and files of mode rw-rw-rw-, whatever the umask is.
constexpr zip_uint16_t kDosTime = 0, kDosDate = 1 << 5 | 1;
constexpr mode_t kMode = 0666;

// Of all arrays together. There may be hundreds.
constexpr size_t kBuffersBytes = size_t{16} << 20, kLeastBufferBytes = 4096;

struct Discard {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
using Zip = std::unique_ptr<zip_t, Discard>;

// libzip reports the system's error number where there is one.
Status zip_status(const std::string& what, zip_error_t* error, const std::string& path) {
  if (zip_error_system_type(error) == ZIP_ET_SYS) {
    errno = zip_error_code_system(error);
    return errno_status(what, path);
  }
  return Status(StatusCode::kIo, concat(what, " ", quote(path), ": ", zip_error_strerror(error)));
}

// The spool as a source, which libzip reads when the archive is closed, and then closes.
Result<zip_source_t*> source_of(SpoolFile& spool, const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(const int fd, spool.release());
  FILE* file = ::fdopen(fd, "rb");
  if (file == nullptr) {
    const Status status = errno_status("cannot read back what was written for", path);
    ::close(fd);
    return status;
  }
  // libzip takes the entry's mode from the file. Where there are no modes nothing is lost.
  static_cast<void>(::fchmod(fd, kMode));
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_filep_create(file, 0, -1, &error);
  if (source != nullptr) return source;
  std::fclose(file);
  return zip_status("cannot write", &error, path);
}

Status add_entry(zip_t* zip, const std::string& name, SpoolFile& spool, const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(zip_source_t * source, source_of(spool, path));
  const zip_int64_t index = zip_file_add(zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    const Status status = zip_status("cannot write", zip_get_error(zip), path);
    zip_source_free(source);
    return status;
  }
  const auto entry = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(zip, entry, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(zip, entry, kDosTime, kDosDate, 0) != 0) {
    return zip_status("cannot write", zip_get_error(zip), path);
  }
  return {};
}

// One array, growing.
struct Table {
  Table(SpoolFile file, const TableInfo& table, ElementType type, size_t buffer_bytes)
      : key(table.key),
        spool(std::move(file)),
        stream(spool, type, table.dims, std::max(buffer_bytes, kLeastBufferBytes)) {}
  std::string key;
  SpoolFile spool;
  NpyStream stream;
};

class NpzWriter : public FeatureWriter {
 public:
  explicit NpzWriter(const OutputSpec& spec)
      : FeatureWriter(spec), path_(spec.path), existing_(spec.existing) {}

  Status start(const OutputSpec& spec) {
    const size_t buffer =
        std::min(BufferedWriter::kBytes, kBuffersBytes / std::max<size_t>(spec.tables.size(), 1));
    for (const TableInfo& info : spec.tables) {
      PENULT_ASSIGN_OR_RETURN(SpoolFile spool, SpoolFile::create(spec.path));
      tables_.push_back(std::make_unique<Table>(std::move(spool), info, spec.element_type, buffer));
      PENULT_RETURN_IF_ERROR(tables_.back()->stream.start());
    }
    return {};
  }

 private:
  Status add(const Rows& rows) override {
    paths_.insert(paths_.end(), rows.paths.begin(), rows.paths.end());
    labels_.insert(labels_.end(), rows.labels.begin(), rows.labels.end());
    for (size_t t = 0; t < tables_.size(); ++t) {
      NpyStream& stream = tables_[t]->stream;
      const uint64_t before = stream.overflows();
      PENULT_RETURN_IF_ERROR(stream.append(rows.tables[t]));
      count_overflows(stream.overflows() - before);
    }
    return {};
  }

  Status add_arrays(zip_t* zip, const std::string& provenance) {
    for (const std::unique_ptr<Table>& table : tables_) {
      PENULT_RETURN_IF_ERROR(table->stream.finish(rows()));
      PENULT_RETURN_IF_ERROR(add_entry(zip, table->key + ".npy", table->spool, path_));
    }
    // By way of files too: NumPy pads every string to the longest.
    const auto add_text = [&](const char* name, const auto& write) -> Status {
      PENULT_ASSIGN_OR_RETURN(SpoolFile spool, SpoolFile::create(path_));
      BufferedWriter writer(spool);
      PENULT_RETURN_IF_ERROR(write(writer));
      return add_entry(zip, name, spool, path_);
    };
    PENULT_RETURN_IF_ERROR(add_text(
        "paths.npy", [&](BufferedWriter& writer) { return write_npy_strings(paths_, writer); }));
    PENULT_RETURN_IF_ERROR(add_text(
        "labels.npy", [&](BufferedWriter& writer) { return write_npy_strings(labels_, writer); }));
    return add_text("provenance.npy",
                    [&](BufferedWriter& writer) { return write_npy_string(provenance, writer); });
  }

  Status complete(const std::string& provenance) override {
    PENULT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path_, existing_));
    int code = 0;
    Zip zip(zip_open(file.temporary_path().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
    if (!zip) {
      zip_error_t error;
      zip_error_init_with_code(&error, code);
      return zip_status("cannot write", &error, path_);
    }
    PENULT_RETURN_IF_ERROR(add_arrays(zip.get(), provenance));
    if (zip_close(zip.get()) != 0) {
      return zip_status("cannot write", zip_get_error(zip.get()), path_);
    }
    static_cast<void>(zip.release());  // closed
    PENULT_RETURN_IF_ERROR(file.reopen());
    return file.commit();
  }

  std::string path_;
  Existing existing_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::vector<std::string> paths_, labels_;
};

Status check_key(const std::string& key) {
  if (is_valid_name(key) && key.find_first_of("/\\") == std::string::npos && key != "paths" &&
      key != "labels" && key != "provenance") {
    return {};
  }
  return Status(StatusCode::kInvalidArgument,
                concat("tap ", quote(key), " cannot be the name of an array in an .npz"));
}

}  // namespace

Result<std::unique_ptr<FeatureWriter>> create_npz_writer(const OutputSpec& spec) {
  for (const TableInfo& table : spec.tables) PENULT_RETURN_IF_ERROR(check_key(table.key));
  // Says now, and not after all the work, what would be in the way of the name.
  PENULT_RETURN_IF_ERROR(AtomicFile::create(spec.path, spec.existing).status());
  auto writer = std::make_unique<NpzWriter>(spec);
  PENULT_RETURN_IF_ERROR(writer->start(spec));
  return std::unique_ptr<FeatureWriter>(std::move(writer));
}

}  // namespace penult
