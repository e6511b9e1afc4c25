// WebP through libwebp: lossy and lossless, of an animation the first frame on its canvas. Alpha is
// dropped: transparent pixels keep the colour that they have underneath, as with Pillow.

#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/image/decoders.h"

namespace penult {
namespace {

struct Delete {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, Delete>;

struct Frame {
  WebPIterator at = {};
  ~Frame() { WebPDemuxReleaseIterator(&at); }
};

struct Chunk {
  WebPChunkIterator at = {};
  ~Chunk() { WebPDemuxReleaseChunkIterator(&at); }
};

Status damaged(const std::string& what) {
  return {StatusCode::kImageCorrupt, concat("a damaged WebP: ", what)};
}

uint32_t get(std::span<const uint8_t> bytes, size_t at, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) value |= uint32_t{bytes[at + i]} << 8 * i;
  return value;
}

struct Size {
  uint32_t h = 0, w = 0;
};

// The size in the header, before libwebp sees the file. It must be known before libwebp calls a
// file whose parts do not fit a damaged one.
// Source: "WebP Container Specification", RFC 6386 section 9.1, "WebP Lossless Bitstream".
Result<Size> size_of(std::span<const uint8_t> bytes) {
  if (bytes.size() < 30) return damaged("it ends within its header");
  const std::string_view kind(reinterpret_cast<const char*>(&bytes[12]), 4);
  if (kind == "VP8X") return Size{.h = get(bytes, 27, 3) + 1, .w = get(bytes, 24, 3) + 1};
  if (kind == "VP8L") {
    const uint32_t bits = get(bytes, 21, 4);
    return Size{.h = (bits >> 14 & 0x3FFF) + 1, .w = (bits & 0x3FFF) + 1};
  }
  if (kind == "VP8 ") return Size{.h = get(bytes, 28, 2) & 0x3FFF, .w = get(bytes, 26, 2) & 0x3FFF};
  return damaged("its first part is of no known kind");
}

Status status_of(VP8StatusCode code) {
  switch (code) {
    case VP8_STATUS_OK:
      return {};
    case VP8_STATUS_OUT_OF_MEMORY:
      return {StatusCode::kOutOfMemory, "no memory to decode a WebP"};
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return {StatusCode::kImageUnsupported, "a WebP of a kind that libwebp does not read"};
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return damaged("it ends within its pixels");
    default:
      return damaged("its pixels cannot be decoded");
  }
}

// The frame onto its place of the canvas.
Status decode_frame(const WebPIterator& frame, Image& image) {
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) {
    return {StatusCode::kInternal, "libwebp is of another version than its headers"};
  }
  const WebPData& data = frame.fragment;
  PENULT_RETURN_IF_ERROR(status_of(WebPGetFeatures(data.bytes, data.size, &config.input)));
  const int64_t h = config.input.height, w = config.input.width;
  if (h != frame.height || w != frame.width || frame.x_offset < 0 || frame.y_offset < 0 ||
      frame.x_offset + w > image.w || frame.y_offset + h > image.h) {
    return damaged("a frame is not of the size that it should be");
  }
  const int64_t first = (frame.y_offset * image.w + frame.x_offset) * 3;
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = image.rgb.data() + first;
  config.output.u.RGBA.stride = static_cast<int>(image.w * 3);
  config.output.u.RGBA.size = image.rgb.size() - first;
  const VP8StatusCode code = WebPDecode(data.bytes, data.size, &config);
  WebPFreeDecBuffer(&config.output);
  return status_of(code);
}

int orientation_of(WebPDemuxer* demuxer) {
  Chunk chunk;
  if (!WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk.at)) return 1;
  return exif_orientation({chunk.at.chunk.bytes, chunk.at.chunk.size});
}

}  // namespace

Result<Image> decode_webp(std::span<const uint8_t> bytes, const DecodeOptions& options) {
  PENULT_ASSIGN_OR_RETURN(const Size size, size_of(bytes));
  PENULT_RETURN_IF_ERROR(check_image_size(size.h, size.w, bytes.size(), options));
  const WebPData data{bytes.data(), bytes.size()};
  const Demuxer demuxer(WebPDemux(&data));
  if (demuxer == nullptr) return damaged("it is cut off, or its parts do not fit together");
  Image image{.h = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT),
              .w = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH),
              .rgb = {}};
  if (image.h != size.h || image.w != size.w) return damaged("it has two sizes");
  Frame frame;
  if (!WebPDemuxGetFrame(demuxer.get(), 1, &frame.at) || !frame.at.complete) {
    return damaged("it has no picture");
  }
  image.rgb.resize(image.h * image.w * 3);  // black where the frame does not reach
  PENULT_RETURN_IF_ERROR(decode_frame(frame.at, image));
  const int orientation = options.apply_exif ? orientation_of(demuxer.get()) : 1;
  return apply_orientation(std::move(image), orientation);
}

}  // namespace penult
