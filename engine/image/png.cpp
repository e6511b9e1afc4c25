// PNG through libspng: 8-bit RGB and grey without transparency; the rest is refused, not guessed.

#include <spng.h>

#include <memory>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/image/decoders.h"

namespace penult {
namespace {

struct Free {
  void operator()(spng_ctx* context) const { spng_ctx_free(context); }
};

Status corrupt(int error) {
  if (error == SPNG_EMEM) return {StatusCode::kOutOfMemory, "no memory to decode a PNG"};
  return {StatusCode::kImageCorrupt, concat("a damaged PNG: ", spng_strerror(error))};
}

Status check_kind(spng_ctx* context, const spng_ihdr& header) {
  const auto unsupported = [](const char* what) {
    return Status(StatusCode::kImageUnsupported,
                  concat("a PNG ", what, "; this version reads 8-bit RGB and grey"));
  };
  if (header.color_type == SPNG_COLOR_TYPE_INDEXED) return unsupported("with a palette");
  if (header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
      header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA) {
    return unsupported("with alpha");
  }
  if (header.bit_depth != 8) {
    return unsupported(header.bit_depth == 16 ? "with 16 bits a channel"
                                              : "with less than 8 bits a channel");
  }
  spng_trns transparency;
  const int found = spng_get_trns(context, &transparency);
  if (found == 0) return unsupported("with a transparent colour");
  return found == SPNG_ECHUNKAVAIL ? Status() : corrupt(found);
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
  if (const int error = spng_set_png_buffer(context.get(), bytes.data(), bytes.size())) {
    return corrupt(error);
  }
  spng_ihdr header;
  if (const int error = spng_get_ihdr(context.get(), &header)) return corrupt(error);
  PENULT_RETURN_IF_ERROR(check_image_size(header.height, header.width, options));
  PENULT_RETURN_IF_ERROR(check_kind(context.get(), header));

  Image image{.h = header.height, .w = header.width, .rgb = {}};
  image.rgb.resize(image.h * image.w * 3);
  // spng expands grey to RGB by repeating it, as Pillow's convert("RGB") does.
  if (const int error =
          spng_decode_image(context.get(), image.rgb.data(), image.rgb.size(), SPNG_FMT_RGB8, 0)) {
    return corrupt(error);
  }
  if (const int error = spng_decode_chunks(context.get())) return corrupt(error);
  const int orientation = options.apply_exif ? orientation_of(context.get()) : 1;
  return apply_orientation(std::move(image), orientation);
}

}  // namespace penult
