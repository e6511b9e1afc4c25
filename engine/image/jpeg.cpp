// JPEG through libjpeg-turbo, with the settings Pillow uses: accurate integer DCT, fancy
// upsampling. Huffman and arithmetic coding, baseline and progressive, 8 bits.

// clang-format off
#include <cstdio>  // jpeglib.h needs it before
#include <jerror.h>
#include <jpeglib.h>
// clang-format on

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/image/decoders.h"

namespace penult {
namespace {

// What libjpeg may hold at a time: the coefficients of a progressive picture at the default budget.
constexpr long kMaxWorkingBytes = 1L << 30;
// Each scan costs a pass over the whole picture, however short it is in the file.
constexpr int kMaxScans = 500;

// libjpeg reports errors by a call that must not return; it jumps back to the last setjmp. No C++
// object with a destructor lives between the two: they are all members of Decoder.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf back;
  std::array<char, JMSG_LENGTH_MAX> message;
  StatusCode code;
};

StatusCode code_of(int message_code) {
  switch (message_code) {
    case JERR_OUT_OF_MEMORY:
      return StatusCode::kOutOfMemory;
    case JERR_NO_BACKING_STORE:  // it would need more than max_memory_to_use
    case JERR_IMAGE_TOO_BIG:
      return StatusCode::kLimitExceeded;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
      return StatusCode::kImageUnsupported;
    default:
      return StatusCode::kImageCorrupt;
  }
}

void on_error(j_common_ptr info) {
  auto* errors = reinterpret_cast<ErrorManager*>(info->err);
  info->err->format_message(info, errors->message.data());
  errors->code = code_of(info->err->msg_code);
  std::longjmp(errors->back, 1);
}

// A warning means that data is missing or damaged, and that libjpeg is about to guess. All but one:
// of an unknown version of JFIF nothing is used.
void on_message(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code != JWRN_JFIF_MAJOR) on_error(info);
}

void discard_message(j_common_ptr) {}

// Samples of one row (c,m,y,k) to (r,g,b) in the integers of Pillow. It takes every JPEG of four
// components for Adobe's, which stores 255 minus the ink, whether the file says so or not.
void convert_cmyk(std::span<const uint8_t> row, uint8_t* dst) {
  for (size_t i = 0; i + 3 < row.size(); i += 4, dst += 3) {
    const uint32_t light = row[i + 3];  // 255 without black
    for (int c = 0; c < 3; ++c) {
      const uint32_t product = (255 - row[i + c]) * light + 128;
      dst[c] = static_cast<uint8_t>(light - (((product >> 8) + product) >> 8));
    }
  }
}

class Decoder {
 public:
  explicit Decoder(std::span<const uint8_t> bytes) : bytes_(bytes) {
    std::memset(&info_, 0, sizeof(info_));
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_error;
    errors_.base.emit_message = on_message;
    errors_.base.output_message = discard_message;
    errors_.message[0] = 0;
    errors_.code = StatusCode::kImageCorrupt;
    progress_.progress_monitor = on_progress;
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Status read_header() {
    if (setjmp(errors_.back) != 0) return failure();
    jpeg_create_decompress(&info_);
    info_.client_data = this;
    info_.progress = &progress_;
    info_.mem->max_memory_to_use = kMaxWorkingBytes;
    jpeg_mem_src(&info_, bytes_.data(), bytes_.size());
    jpeg_set_marker_processor(&info_, JPEG_APP0 + 1, on_app1);
    jpeg_read_header(&info_, TRUE);
    return {};
  }

  Status check(const DecodeOptions& options) const {
    PENULT_RETURN_IF_ERROR(
        check_image_size(info_.image_height, info_.image_width, bytes_.size(), options));
    const J_COLOR_SPACE space = info_.jpeg_color_space;
    if (space == JCS_GRAYSCALE || space == JCS_YCbCr || space == JCS_RGB || is_cmyk()) return {};
    return {StatusCode::kImageUnsupported,
            concat("a JPEG of ", info_.num_components, " components in an unknown colour space")};
  }

  // Of a picture in several scans it reads them all, so that most damage shows before the pixels
  // are allocated.
  Status start() {
    if (is_cmyk()) cmyk_row_.resize(size_t{info_.image_width} * 4);
    if (setjmp(errors_.back) != 0) return failure();
    info_.out_color_space = is_cmyk() ? JCS_CMYK : JCS_RGB;
    info_.dct_method = JDCT_ISLOW;
    info_.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&info_);
    // libjpeg takes coefficients that never came for zeros.
    const uint32_t all = (1u << info_.num_components) - 1;
    if (jpeg_has_multiple_scans(&info_) && seen_components_ != all) {
      return {StatusCode::kImageCorrupt, "a damaged JPEG: no scan has some of its components"};
    }
    return {};
  }

  // dst: (h,w,3) u8.
  Status read_pixels(uint8_t* dst) {
    if (setjmp(errors_.back) != 0) return failure();
    while (info_.output_scanline < info_.output_height) {
      uint8_t* const rgb = dst + size_t{info_.output_scanline} * info_.output_width * 3;
      JSAMPROW row = is_cmyk() ? cmyk_row_.data() : rgb;
      jpeg_read_scanlines(&info_, &row, 1);
      if (is_cmyk()) convert_cmyk(cmyk_row_, rgb);
    }
    jpeg_finish_decompress(&info_);
    return {};
  }

  int orientation() const { return exif_orientation(exif_); }
  int64_t h() const { return info_.image_height; }
  int64_t w() const { return info_.image_width; }

 private:
  bool is_cmyk() const {
    return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
  }

  Status failure() const {
    const char* kind = errors_.code == StatusCode::kImageCorrupt ? "a damaged JPEG: " : "a JPEG: ";
    return {errors_.code, concat(kind, escape_name(errors_.message.data()))};
  }

  // Called before each row of blocks while jpeg_start_decompress collects scans.
  static void on_progress(j_common_ptr info) {
    const auto* jpeg = reinterpret_cast<j_decompress_ptr>(info);
    auto* self = static_cast<Decoder*>(info->client_data);
    for (int i = 0; i < jpeg->comps_in_scan; ++i) {
      self->seen_components_ |= 1u << jpeg->cur_comp_info[i]->component_index;
    }
    if (jpeg->input_scan_number <= kMaxScans) return;
    self->errors_.code = StatusCode::kLimitExceeded;
    std::snprintf(self->errors_.message.data(), self->errors_.message.size(), "more than %d scans",
                  kMaxScans);
    std::longjmp(self->errors_.back, 1);
  }

  // Skips an APP1 marker and remembers the first EXIF block: nothing is copied, however many there
  // are, and it outlives jpeg_finish_decompress, which frees saved markers. The file is in memory
  // as a whole; where it ends too early, libjpeg's source warns, which does not return.
  static boolean on_app1(j_decompress_ptr info) {
    constexpr std::string_view kExif("Exif\0\0", 6);
    jpeg_source_mgr& source = *info->src;
    if (source.bytes_in_buffer < 2) source.fill_input_buffer(info);
    const size_t length = size_t{source.next_input_byte[0]} << 8 | source.next_input_byte[1];
    if (length < 2) ERREXIT(info, JERR_BAD_LENGTH);
    const std::string_view marker(reinterpret_cast<const char*>(source.next_input_byte),
                                  std::min(length, source.bytes_in_buffer));
    auto* self = static_cast<Decoder*>(info->client_data);
    if (self->exif_.empty() && marker.substr(2).starts_with(kExif)) {
      self->exif_ = {source.next_input_byte + 2 + kExif.size(), marker.size() - 2 - kExif.size()};
    }
    source.skip_input_data(info, static_cast<long>(length));
    return TRUE;
  }

  std::span<const uint8_t> bytes_;
  std::span<const uint8_t> exif_ = {};  // inside bytes_
  uint32_t seen_components_ = 0;        // a bit each
  std::vector<uint8_t> cmyk_row_;
  jpeg_decompress_struct info_;
  jpeg_progress_mgr progress_ = {};
  ErrorManager errors_;
};

}  // namespace

Result<Image> decode_jpeg(std::span<const uint8_t> bytes, const DecodeOptions& options) {
  Decoder decoder(bytes);
  PENULT_RETURN_IF_ERROR(decoder.read_header());
  PENULT_RETURN_IF_ERROR(decoder.check(options));
  PENULT_RETURN_IF_ERROR(decoder.start());
  Image image{.h = decoder.h(), .w = decoder.w(), .rgb = {}};
  image.rgb.resize(image.h * image.w * 3);
  PENULT_RETURN_IF_ERROR(decoder.read_pixels(image.rgb.data()));
  return apply_orientation(std::move(image), options.apply_exif ? decoder.orientation() : 1);
}

}  // namespace penult
