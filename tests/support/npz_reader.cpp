#include "tests/support/npz_reader.h"

#include <zip.h>

#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::testing {
namespace {

Status corrupt(std::string message) { return {StatusCode::kFormatCorrupt, std::move(message)}; }

// The text behind `'key': ` in a header such as {'descr': '<f4', 'fortran_order': False,
// 'shape': (3, 4), }, up to `end`.
std::string field(const std::string& header, const std::string& key, char end) {
  const std::string start = "'" + key + "': ";
  const size_t at = header.find(start);
  if (at == std::string::npos) return {};
  const size_t from = at + start.size() + 1;  // past the opening quote or bracket
  const size_t to = header.find(end, from);
  return to == std::string::npos ? std::string() : header.substr(from, to - from);
}

std::vector<int64_t> parse_dims(const std::string& text) {
  std::vector<int64_t> dims;
  for (const char* p = text.c_str(); *p != '\0';) {
    char* end = nullptr;
    const int64_t dim = std::strtoll(p, &end, 10);
    if (end == p) {
      ++p;  // a comma or a space
      continue;
    }
    dims.push_back(dim);
    p = end;
  }
  return dims;
}

template <class T>
constexpr const char* dtype_of() {
  if constexpr (std::is_same_v<T, float>) return "<f4";
  if constexpr (std::is_same_v<T, double>) return "<f8";
  if constexpr (std::is_same_v<T, int32_t>) return "<i4";
  if constexpr (std::is_same_v<T, uint8_t>) return "|u1";
}

size_t elem_bytes(const std::string& dtype) {
  const size_t number = std::strtoull(dtype.c_str() + 2, nullptr, 10);
  return dtype[1] == 'U' ? 4 * number : number;
}

struct Close {
  void operator()(zip_t* zip) const { zip_discard(zip); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

Result<std::vector<std::byte>> read_entry(zip_t* zip, zip_uint64_t index) {
  zip_stat_t stat;
  if (zip_stat_index(zip, index, 0, &stat) != 0) return corrupt("an entry has no size");
  const std::unique_ptr<zip_file_t, Close> file(zip_fopen_index(zip, index, 0));
  std::vector<std::byte> bytes(stat.size);
  if (!file || zip_fread(file.get(), bytes.data(), stat.size) != static_cast<int64_t>(stat.size)) {
    return corrupt(concat(quote(stat.name), " cannot be read"));
  }
  return bytes;
}

}  // namespace

int64_t NpyArray::elems() const {
  int64_t product = 1;
  for (const int64_t dim : dims) product *= dim;
  return product;
}

template <class T>
Result<std::vector<T>> NpyArray::values() const {
  if (dtype != dtype_of<T>()) {
    return Status(StatusCode::kInvalidArgument,
                  concat("array of ", quote(dtype), ", expected ", dtype_of<T>()));
  }
  std::vector<T> out(static_cast<size_t>(elems()));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}
template Result<std::vector<float>> NpyArray::values() const;
template Result<std::vector<double>> NpyArray::values() const;
template Result<std::vector<int32_t>> NpyArray::values() const;
template Result<std::vector<uint8_t>> NpyArray::values() const;

Result<std::string> NpyArray::text() const {
  if (dtype.substr(0, 2) != "<U" || !dims.empty()) {
    return Status(StatusCode::kInvalidArgument, concat("array of ", quote(dtype), " is no text"));
  }
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 4) out += static_cast<char>(bytes[i]);  // UCS-4
  return out;
}

Result<NpyArray> parse_npy(const std::vector<std::byte>& file) {
  // "\x93NUMPY", version 1.0, little-endian u16 length of the header that follows.
  constexpr size_t kPrefix = 10;
  if (file.size() < kPrefix || std::memcmp(file.data(), "\x93NUMPY\x01\x00", 8) != 0) {
    return corrupt("not an .npy file of version 1.0");
  }
  const size_t length = std::to_integer<size_t>(file[8]) | std::to_integer<size_t>(file[9]) << 8;
  if (file.size() < kPrefix + length) return corrupt("the .npy header is cut off");
  const std::string header(reinterpret_cast<const char*>(file.data()) + kPrefix, length);
  if (header.find("'fortran_order': False") == std::string::npos) {
    return Status(StatusCode::kFormatUnsupported, "an array in Fortran order");
  }
  NpyArray array{.dtype = field(header, "descr", '\''),
                 .dims = parse_dims(field(header, "shape", ')')),
                 .bytes = {file.begin() + static_cast<int64_t>(kPrefix + length), file.end()}};
  if (array.dtype.size() < 3 ||
      array.bytes.size() != static_cast<size_t>(array.elems()) * elem_bytes(array.dtype)) {
    return corrupt(concat("an array ", array.dims, " of ", quote(array.dtype), " with ",
                          array.bytes.size(), " bytes"));
  }
  return array;
}

Result<std::map<std::string, NpyArray>> read_npz(const std::string& path) {
  const std::unique_ptr<zip_t, Close> zip(zip_open(path.c_str(), ZIP_RDONLY, nullptr));
  if (!zip) return Status(StatusCode::kIo, concat("cannot open ", quote(path), " as a zip"));
  std::map<std::string, NpyArray> arrays;
  const zip_int64_t entries = zip_get_num_entries(zip.get(), 0);
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(entries); ++i) {
    const std::string name = zip_get_name(zip.get(), i, 0);
    if (!name.ends_with(".npy")) return corrupt(concat(quote(name), " is no array"));
    PENULT_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_entry(zip.get(), i));
    PENULT_ASSIGN_OR_RETURN(NpyArray array, parse_npy(bytes));
    arrays.emplace(name.substr(0, name.size() - 4), std::move(array));
  }
  return arrays;
}

}  // namespace penult::testing
