// PNG through libspng, of all colour types and depths; of an animation the picture for viewers that
// know none. Alpha and transparent colours are dropped, of 16 bits the upper 8 are taken, as Pillow
// does (of 16-bit greys it does not: docs/decisions/0008-images-as-pillow.md).

#include <spng.h>

#include <memory>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/image/decoders.h"

namespace penult {
namespace {

struct Free {
  void operator()(spng_ctx* context) const { spng_ctx_free(context); }
};

// What is inflated or kept of colour profiles and texts, which nobody reads here. More than real
// files have; without it a file of 1 MB can ask for 1 GB.
constexpr size_t kMaxSideBytes = size_t{64} << 20;

Status corrupt(int error) {
  if (error == SPNG_EMEM) return {StatusCode::kOutOfMemory, "no memory to decode a PNG"};
  if (error == SPNG_ECHUNK_LIMITS) {
    return {StatusCode::kLimitExceeded,
            "a PNG whose colour profile or texts are damaged or too large"};
  }
  return {StatusCode::kImageCorrupt, concat("a damaged PNG: ", spng_strerror(error))};
}

// spng 0.7 takes a file that ends within the CRC of its end chunk for a whole one.
bool has_end(std::span<const uint8_t> bytes) {
  constexpr std::string_view kEnd("\0\0\0\0IEND\xAE\x42\x60\x82", 12);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.rfind(kEnd) != text.npos;
}

int orientation_of(spng_ctx* context) {
  spng_exif exif;
  if (spng_get_exif(context, &exif) != 0) return 1;
  return exif_orientation({reinterpret_cast<const uint8_t*>(exif.data), exif.length});
}

}  // namespace

Result<Image> decode_png(std::span<const uint8_t> bytes, const DecodeOptions& options) {
  const std::unique_ptr<spng_ctx, Free> context(spng_ctx_new(0));
  if (context == nullptr) return corrupt(SPNG_EMEM);
  spng_set_crc_action(context.get(), SPNG_CRC_ERROR, SPNG_CRC_ERROR);
  spng_set_chunk_limits(context.get(), kMaxSideBytes, kMaxSideBytes);
  if (const int error = spng_set_png_buffer(context.get(), bytes.data(), bytes.size())) {
    return corrupt(error);
  }
  spng_ihdr header;
  if (const int error = spng_get_ihdr(context.get(), &header)) return corrupt(error);
  PENULT_RETURN_IF_ERROR(check_image_size(header.height, header.width, bytes.size(), options));

  Image image{.h = header.height, .w = header.width, .rgb = {}};
  image.rgb.resize(image.h * image.w * 3);
  // spng's expansion is that of Pillow's convert("RGB"): grey is repeated, levels of fewer bits are
  // spread over 0 to 255, an index behind the palette's end is black.
  if (const int error =
          spng_decode_image(context.get(), image.rgb.data(), image.rgb.size(), SPNG_FMT_RGB8, 0)) {
    return corrupt(error);
  }
  if (const int error = spng_decode_chunks(context.get())) return corrupt(error);
  if (!has_end(bytes)) return corrupt(SPNG_ECHUNK_CRC);
  const int orientation = options.apply_exif ? orientation_of(context.get()) : 1;
  return apply_orientation(std::move(image), orientation);
}

}  // namespace penult
