#include <zip.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/output/feature_writer.h"
#include "engine/output/npy.h"

namespace penult {
namespace {

// Archives of the same features are the same bytes: midnight of 1980-01-01, in any time zone.
constexpr zip_uint16_t kDosTime = 0, kDosDate = 1 << 5 | 1;

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

// One entry made of pieces that outlive the archive: libzip reads them when it is closed.
Status add_entry(zip_t* zip, const std::string& name, std::span<const zip_buffer_fragment_t> pieces,
                 const std::string& path) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_fragment_create(pieces.data(), pieces.size(), 0, &error);
  if (source == nullptr) return zip_status("cannot write", &error, path);
  const zip_int64_t index = zip_file_add(zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    return Status(StatusCode::kInvalidArgument,
                  concat("cannot store array ", quote(name), ": ", zip_strerror(zip)));
  }
  const auto entry = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(zip, entry, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(zip, entry, kDosTime, kDosDate, 0) != 0) {
    return zip_status("cannot write", zip_get_error(zip), path);
  }
  return {};
}

zip_buffer_fragment_t piece(const void* data, size_t bytes) {
  // libzip's type is not const, but a source for reading is not written to.
  return {static_cast<zip_uint8_t*>(const_cast<void*>(data)), bytes};
}

Status check_key(const std::string& key) {
  if (is_valid_name(key) && key.find_first_of("/\\") == std::string::npos && key != "paths" &&
      key != "labels" && key != "provenance") {
    return {};
  }
  return Status(StatusCode::kInvalidArgument,
                concat("tap ", quote(key), " cannot be the name of an array in an .npz"));
}

// Everything that must live until the archive is closed.
struct Arrays {
  std::vector<std::string> headers;
  std::string paths, labels, provenance;
};

Status add_arrays(zip_t* zip, const Features& features, Arrays& arrays, const std::string& path) {
  const auto rows = static_cast<int64_t>(features.paths.size());
  arrays.headers.reserve(features.tables.size());  // pointers into it stay valid
  for (const FeatureTable& table : features.tables) {
    PENULT_RETURN_IF_ERROR(check_key(table.key));
    std::vector<int64_t> dims = {rows};
    dims.insert(dims.end(), table.dims.begin(), table.dims.end());
    const std::string& header = arrays.headers.emplace_back(npy_header("<f4", dims));
    const zip_buffer_fragment_t pieces[] = {
        piece(header.data(), header.size()),
        piece(table.values.data(), table.values.size() * sizeof(float))};
    PENULT_RETURN_IF_ERROR(add_entry(zip, table.key + ".npy", pieces, path));
  }
  arrays.paths = npy_strings(features.paths);
  arrays.labels = npy_strings(features.labels);
  arrays.provenance = npy_string(features.provenance);
  const std::pair<const char*, const std::string*> texts[] = {
      {"paths.npy", &arrays.paths},
      {"labels.npy", &arrays.labels},
      {"provenance.npy", &arrays.provenance}};
  for (const auto& [name, text] : texts) {
    const zip_buffer_fragment_t whole[] = {piece(text->data(), text->size())};
    PENULT_RETURN_IF_ERROR(add_entry(zip, name, whole, path));
  }
  return {};
}

}  // namespace

Status write_npz(const Features& features, const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  Arrays arrays;
  int code = 0;
  Zip zip(zip_open(file.temporary_path().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!zip) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    return zip_status("cannot write", &error, path);
  }
  PENULT_RETURN_IF_ERROR(add_arrays(zip.get(), features, arrays, path));
  if (zip_close(zip.get()) != 0) return zip_status("cannot write", zip_get_error(zip.get()), path);
  static_cast<void>(zip.release());  // closed
  PENULT_RETURN_IF_ERROR(file.reopen());
  return file.commit();
}

}  // namespace penult
