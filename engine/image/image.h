#pragma once

// Files to pixels to network input. Knows no graph.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "penult/preprocess.h"
#include "penult/status.h"

namespace penult {

// 8-bit RGB, rows without padding: (h, w, 3).
struct Image {
  int64_t h = 0, w = 0;
  std::vector<uint8_t> rgb;
};

struct DecodeOptions {
  bool apply_exif = true;            // EXIF orientation 1-8; false keeps the stored order of pixels
  int64_t max_pixels = 178'956'970;  // refused from the header alone (Pillow's error line)
  // Called with the number of pixels once it is known and within the limits, before memory is taken
  // for them.
  std::function<void(uint64_t pixels)> before_pixels = {};
};

// Decodes by content, never by name. ImageCorrupt: truncated or damaged (a decoder's warning
// counts); ImageUnsupported: a kind that is not read; LimitExceeded: above max_pixels, a side above
// 65,535, or made to exhaust memory or time. What follows the end of the picture is ignored, as
// Pillow does.
Result<Image> decode_image(std::span<const uint8_t> bytes, const DecodeOptions& options);

// "JPEG, PNG, ...": what decode_image reads.
std::string readable_kinds();

// The bytes of a file, whose kind is looked at before the rest is read: ImageCorrupt,
// ImageUnsupported, LimitExceeded (1 GiB), Io. decode_image with errors that name the path. Both in
// one, with InputFile::open.
Result<std::vector<uint8_t>> read_image_file(const InputFile& file);
Result<Image> decode_image_file(const std::string& path, std::span<const uint8_t> bytes,
                                const DecodeOptions& options);
Result<Image> load_image(const std::string& path, const DecodeOptions& options);

// Pillow's Image.resize(BILINEAR or BICUBIC) of 8-bit RGB, bit-equal. LimitExceeded if the result
// is outside the budget of pixels.
Result<Image> resize_image(const Image& image, int64_t h, int64_t w, Preprocess::Filter filter);

// What resize_and_crop keeps from one picture to the next, so that it allocates nothing for
// pictures that are no larger than those before. For one thread at a time.
class CropScratch {
 public:
  CropScratch();
  CropScratch(const CropScratch&) = delete;
  CropScratch& operator=(const CropScratch&) = delete;
  ~CropScratch();

 private:
  struct Memory;
  friend Status resize_and_crop(const Image& image, const Preprocess& preprocess,
                                std::span<uint8_t> crop, CropScratch& scratch);
  std::unique_ptr<Memory> memory_;
};

// Resize and centre crop as torchvision does it. Only what the crop shows is resized, so that a
// thin picture, whose long side becomes huge, costs no more than others. crop: (crop_h, crop_w, 3)
// u8. Errors: those of usable_isa().
Status resize_and_crop(const Image& image, const Preprocess& preprocess, std::span<uint8_t> crop,
                       CropScratch& scratch);
// The same, into a picture of its own. LimitExceeded if the crop is outside the budget of pixels.
Result<Image> resize_and_crop(const Image& image, const Preprocess& preprocess);

// (x / 255 - mean) / std into planar (3, h, w) float32, as torchvision's ToTensor + Normalize:
// the same float32 operations in the same order. dst holds 3 * h * w floats.
void normalize_to_chw(const Image& image, const Preprocess& preprocess, std::span<float> dst);

}  // namespace penult
