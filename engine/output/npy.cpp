#include "engine/output/npy.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/half.h"
#include "engine/output/text.h"

namespace penult {
namespace {

Status write_strings(std::span<const std::string> texts, const std::vector<int64_t>& dims,
                     BufferedWriter& writer) {
  size_t width = 1;  // NumPy has no "<U0" arrays in files
  for (const std::string& text : texts) width = std::max(width, decode_text(text).size());
  PENULT_RETURN_IF_ERROR(writer.write(npy_header("<U" + std::to_string(width), dims)));
  std::string bytes;
  for (const std::string& text : texts) {
    std::u32string decoded = decode_text(text);
    decoded.resize(width, U'\0');
    bytes.clear();
    for (const char32_t point : decoded) {
      for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(point >> shift & 0xff);
    }
    PENULT_RETURN_IF_ERROR(writer.write(bytes));
  }
  return writer.flush();
}

}  // namespace

std::string npy_header(const std::string& descr, const std::vector<int64_t>& dims, size_t bytes) {
  std::string shape;
  for (const int64_t dim : dims) shape += std::to_string(dim) + (dims.size() == 1 ? "," : ", ");
  if (dims.size() > 1) shape.resize(shape.size() - 2);
  std::string dict =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr size_t kPrefix = 10, kAlignment = 64;
  const size_t needed = (kPrefix + dict.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  dict.resize(std::max(needed, bytes) - kPrefix - 1, ' ');
  dict += '\n';
  std::string header = std::string("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dict.size() & 0xff);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

NpyStream::NpyStream(OutputFile& file, ElementType type, std::vector<int64_t> row_dims,
                     size_t buffer_bytes)
    : file_(file),
      writer_(file, buffer_bytes),
      type_(type),
      row_dims_(std::move(row_dims)),
      header_bytes_(header(std::numeric_limits<int64_t>::max(), 0).size()) {}

std::string NpyStream::header(int64_t rows, size_t bytes) const {
  std::vector<int64_t> dims = {rows};
  dims.insert(dims.end(), row_dims_.begin(), row_dims_.end());
  return npy_header(type_ == ElementType::kF16 ? "<f2" : "<f4", dims, bytes);
}

Status NpyStream::start() { return writer_.write(header(0, header_bytes_)); }

Status NpyStream::append(std::span<const float> values) {
  if (type_ == ElementType::kF32) return writer_.write(values.data(), values.size_bytes());
  std::array<uint16_t, 4096> halves;
  while (!values.empty()) {
    const auto piece = values.first(std::min(values.size(), halves.size()));
    overflows_ += halves_from_floats(piece, halves.data());
    PENULT_RETURN_IF_ERROR(writer_.write(halves.data(), piece.size() * sizeof(uint16_t)));
    values = values.subspan(piece.size());
  }
  return {};
}

Status NpyStream::finish(int64_t rows) {
  PENULT_RETURN_IF_ERROR(writer_.flush());
  const std::string text = header(rows, header_bytes_);
  return file_.write_at(0, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

Status write_npy_strings(std::span<const std::string> texts, BufferedWriter& writer) {
  return write_strings(texts, {static_cast<int64_t>(texts.size())}, writer);
}

Status write_npy_string(const std::string& text, BufferedWriter& writer) {
  return write_strings({&text, 1}, {}, writer);
}

}  // namespace penult
