#include "engine/output/npz_reader.h"

#include <zip.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/file.h"
#include "engine/base/text.h"

namespace penult {
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

// "3, 4" or "3,", as Python writes a tuple.
Result<std::vector<int64_t>> parse_dims(const std::string& text) {
  std::vector<int64_t> dims;
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p != end;) {
    if (*p == ',' || *p == ' ') {
      ++p;
      continue;
    }
    int64_t dim = 0;
    const auto [behind, error] = std::from_chars(p, end, dim);
    if (error != std::errc() || dim < 0) {
      return corrupt(concat("an array of shape (", escape_name(text), ")"));
    }
    dims.push_back(dim);
    p = behind;
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

// 0 for a type that is not read.
uint64_t elem_bytes(const std::string& dtype) {
  if (dtype == "|u1") return 1;
  if (dtype == "<f4" || dtype == "<i4") return 4;
  if (dtype == "<f8") return 8;
  constexpr uint64_t kMaxCharacters = 1 << 20;
  if (!dtype.starts_with("<U")) return 0;
  const uint64_t characters = std::strtoull(dtype.c_str() + 2, nullptr, 10);
  return characters <= kMaxCharacters ? 4 * characters : 0;
}

struct Close {
  void operator()(zip_t* zip) const { zip_discard(zip); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

constexpr uint64_t kMaxBytes = uint64_t{1} << 30;  // of all arrays
constexpr uint64_t kMaxRatio = 1032;               // what deflate makes of a byte at most

// How much of the file, and of memory, its entries claim.
struct Claims {
  uint64_t file_bytes;  // there are
  uint64_t packed = 0, unpacked = 0;
};

// Before anything is allocated: an entry's size is what the file says, whatever it holds.
Status claim(const zip_stat_t& stat, Claims& claims) {
  constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((stat.valid & kNeeded) != kNeeded) return corrupt("an entry has no size");
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
    return Status(StatusCode::kFormatUnsupported,
                  concat(quote(stat.name), " is packed by method ", stat.comp_method));
  }
  if (stat.comp_size > claims.file_bytes - claims.packed ||
      stat.size / kMaxRatio > stat.comp_size) {
    return corrupt(concat(quote(stat.name), " is larger than the file can hold"));
  }
  if (stat.size > kMaxBytes - claims.unpacked) {
    return Status(StatusCode::kLimitExceeded,
                  concat("its arrays are more than ", kMaxBytes, " bytes"));
  }
  claims.packed += stat.comp_size;
  claims.unpacked += stat.size;
  return {};
}

Result<std::vector<std::byte>> read_entry(zip_t* zip, zip_uint64_t index, Claims& claims) {
  zip_stat_t stat;
  if (zip_stat_index(zip, index, 0, &stat) != 0) return corrupt("an entry has no size");
  PENULT_RETURN_IF_ERROR(claim(stat, claims));
  const std::unique_ptr<zip_file_t, Close> file(zip_fopen_index(zip, index, 0));
  if (!file) return corrupt(concat(quote(stat.name), " cannot be read"));
  std::vector<std::byte> bytes(stat.size);
  if (zip_fread(file.get(), bytes.data(), stat.size) != static_cast<int64_t>(stat.size)) {
    return corrupt(concat(quote(stat.name), " is shorter than it says"));
  }
  return bytes;
}

Result<std::map<std::string, NpyArray>> read_entries(zip_t* zip, uint64_t file_bytes) {
  std::map<std::string, NpyArray> arrays;
  Claims claims{.file_bytes = file_bytes};
  const zip_int64_t entries = zip_get_num_entries(zip, 0);
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(entries); ++i) {
    const char* raw = zip_get_name(zip, i, 0);
    const std::string name = raw == nullptr ? "" : raw;
    if (!name.ends_with(".npy")) return corrupt(concat("entry ", quote(name), " is no array"));
    PENULT_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_entry(zip, i, claims));
    PENULT_ASSIGN_OR_RETURN(NpyArray array, parse_npy(bytes));
    const auto added = arrays.emplace(name.substr(0, name.size() - 4), std::move(array));
    if (!added.second) return corrupt(concat("entry ", quote(name), " is there twice"));
  }
  return arrays;
}

}  // namespace

template <class T>
Result<std::vector<T>> NpyArray::values() const {
  if (dtype != dtype_of<T>()) {
    return Status(StatusCode::kInvalidArgument,
                  concat("array of ", quote(dtype), ", expected ", dtype_of<T>()));
  }
  std::vector<T> out(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
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
  for (size_t i = 0; i + 3 < bytes.size(); i += 4) {  // UCS-4
    const bool ascii = bytes[i] < std::byte{128} && bytes[i + 1] == std::byte{0} &&
                       bytes[i + 2] == std::byte{0} && bytes[i + 3] == std::byte{0};
    out += ascii ? static_cast<char>(bytes[i]) : '?';
  }
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
  PENULT_ASSIGN_OR_RETURN(const std::vector<int64_t> dims, parse_dims(field(header, "shape", ')')));
  NpyArray array{.dtype = field(header, "descr", '\''),
                 .dims = dims,
                 .bytes = {file.begin() + static_cast<int64_t>(kPrefix + length), file.end()}};
  const uint64_t width = elem_bytes(array.dtype);
  if (width == 0) {
    return Status(StatusCode::kFormatUnsupported, concat("an array of ", quote(array.dtype)));
  }
  const auto elems = checked_product(array.dims);
  const auto bytes = elems ? checked_mul(*elems, width) : std::nullopt;
  if (!bytes || *bytes != array.bytes.size()) {
    return corrupt(concat("an array ", array.dims, " of ", quote(array.dtype), " with ",
                          array.bytes.size(), " bytes"));
  }
  return array;
}

Result<std::map<std::string, NpyArray>> read_npz(const std::string& path) {
  // Says why it cannot be opened, better than libzip.
  PENULT_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  const std::unique_ptr<zip_t, Close> zip(zip_open(path.c_str(), ZIP_RDONLY, nullptr));
  if (!zip) return corrupt(concat(quote(path), " is not a zip file"));
  Result<std::map<std::string, NpyArray>> arrays = read_entries(zip.get(), file.size());
  if (arrays.ok()) return arrays;
  return Status(arrays.status().code(), concat(quote(path), ": ", arrays.status().message()));
}

}  // namespace penult
