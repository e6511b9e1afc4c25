// Which decoder a file is for, by its first bytes; errors named after the file.

#include <algorithm>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/image/decoders.h"

namespace penult {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;
constexpr uint64_t kMagicBytes = 16;   // at least those of the longest magic
constexpr uint64_t kMaxSide = 65'535;  // pixels; what JPEG can say
// JPEG and PNG need a byte for at most about 1000 pixels, even of a single colour. A header that
// promises more is damaged, or made to exhaust memory. Lossless WebP comes nearest: libwebp writes
// a byte for up to 26,000 pixels of a single colour.
constexpr uint64_t kMaxPixelsPerByte = 50'000;

// A kind of file. A new one is a row of kKinds, and a decoder in a file of its own.
struct Kind {
  const char* name;
  // How the file begins: '?' is any byte, '#' a digit from 1 to 6, '_' white space. The first kind
  // that fits is taken.
  std::string_view magic;
  Result<Image> (*decode)(std::span<const uint8_t>, const DecodeOptions&);  // null: not read
};

constexpr Kind kKinds[] = {
    {"JPEG", "\xFF\xD8\xFF", decode_jpeg},
    {"PNG", "\x89PNG\r\n\x1A\n", decode_png},
    {"WebP", "RIFF????WEBP", decode_webp},
    {"BMP", "BM", decode_bmp},
    {"PPM", "P#_", decode_pnm},
    {"GIF", "GIF8", nullptr},
    {"TIFF", std::string_view("II*\0", 4), nullptr},
    {"TIFF", std::string_view("MM\0*", 4), nullptr},
};

bool fits(char pattern, char byte) {
  if (pattern == '#') return byte >= '1' && byte <= '6';
  if (pattern == '_') return byte == ' ' || (byte >= '\t' && byte <= '\r');
  return pattern == '?' || pattern == byte;
}

// How much of its magic the file begins with.
size_t matching(const Kind& kind, std::string_view bytes) {
  size_t count = 0;
  while (count < std::min(kind.magic.size(), bytes.size()) &&
         fits(kind.magic[count], bytes[count])) {
    ++count;
  }
  return count;
}

// `start`: the beginning of the file, all of it or kMagicBytes.
Result<const Kind*> kind_of(std::span<const uint8_t> start) {
  if (start.empty()) return Status(StatusCode::kImageCorrupt, "the file is empty");
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  for (const Kind& kind : kKinds) {
    const size_t count = matching(kind, text);
    if (kind.decode != nullptr && count == text.size() && count < kind.magic.size()) {
      return Status(StatusCode::kImageCorrupt, concat("a ", kind.name, " cut off at its start"));
    }
    if (count < kind.magic.size()) continue;
    if (kind.decode != nullptr) return &kind;
    return Status(StatusCode::kImageUnsupported,
                  concat("a ", kind.name, " file; this version reads ", readable_kinds()));
  }
  return Status(StatusCode::kImageUnsupported,
                concat("not a picture of a known kind; this version reads ", readable_kinds()));
}

Status about(const std::string& path, const Status& status) {
  return {status.code(), concat(quote(path), ": ", status.message())};
}

}  // namespace

std::string readable_kinds() {
  std::string names;
  for (const Kind& kind : kKinds) {
    if (kind.decode != nullptr) names += concat(names.empty() ? "" : ", ", kind.name);
  }
  return names;
}

Status check_image_size(uint64_t h, uint64_t w, uint64_t file_bytes, const DecodeOptions& options) {
  if (h == 0 || w == 0) return {StatusCode::kImageCorrupt, concat("the size is ", w, "x", h)};
  const auto exceeded = [&](const std::string& what) {
    return Status(StatusCode::kLimitExceeded, concat("the size is ", w, "x", h, ", ", what));
  };
  if (h > kMaxSide || w > kMaxSide) return exceeded(concat("a side of more than ", kMaxSide));
  const auto budget = static_cast<uint64_t>(options.max_pixels);
  if (h > budget / w) return exceeded(concat("more than the budget of ", budget, " pixels"));
  if (h * w / kMaxPixelsPerByte > file_bytes) {
    return exceeded(concat("too much for a file of ", file_bytes, " bytes"));
  }
  if (options.before_pixels) options.before_pixels(h * w);
  return {};
}

Result<Image> decode_image(std::span<const uint8_t> bytes, const DecodeOptions& options) {
  PENULT_ASSIGN_OR_RETURN(const Kind* kind, kind_of(bytes));
  return kind->decode(bytes, options);
}

Result<std::vector<uint8_t>> read_image_file(const InputFile& file) {
  if (file.size() > kMaxFileBytes) {
    return about(file.path(), {StatusCode::kLimitExceeded,
                               concat("the file has ", file.size(),
                                      " bytes, more than the limit of ", kMaxFileBytes)});
  }
  std::vector<uint8_t> bytes(std::min(file.size(), kMagicBytes));
  PENULT_RETURN_IF_ERROR(file.read_at(0, bytes));
  if (Status known = kind_of(bytes).status(); !known.ok()) return about(file.path(), known);
  bytes.resize(file.size());
  PENULT_RETURN_IF_ERROR(file.read_at(0, bytes));
  return bytes;
}

Result<Image> decode_image_file(const std::string& path, std::span<const uint8_t> bytes,
                                const DecodeOptions& options) {
  Result<Image> image = decode_image(bytes, options);
  if (image.ok()) return image;
  return about(path, image.status());
}

Result<Image> load_image(const std::string& path, const DecodeOptions& options) {
  PENULT_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  PENULT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, read_image_file(file));
  return decode_image_file(path, bytes, options);
}

}  // namespace penult
