#include "tests/engine/image/test_files.h"

// clang-format off
#include <cstdio>  // jpeglib.h needs it before
#include <jpeglib.h>
// clang-format on
#include <gtest/gtest.h>
#include <spng.h>
#include <webp/encode.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "engine/base/digest.h"

namespace penult::testing {
namespace {

void put(Bytes& out, uint64_t value, int bytes, bool big_endian = true) {
  for (int i = 0; i < bytes; ++i) {
    out.push_back(static_cast<uint8_t>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
  }
}

uint32_t get32(const Bytes& in, size_t at) {
  return uint32_t{in[at]} << 24 | uint32_t{in[at + 1]} << 16 | uint32_t{in[at + 2]} << 8 |
         in[at + 3];
}

jpeg_scan_info scan(int component, int first, int last, int high, int low) {
  jpeg_scan_info info = {};
  info.comps_in_scan = 1;
  info.component_index[0] = component;
  info.Ss = first, info.Se = last, info.Ah = high, info.Al = low;
  return info;
}

// "one": each component in a scan of its own; "many": each coefficient bit by bit.
std::vector<jpeg_scan_info> scan_script(std::string_view scans, bool progressive) {
  std::vector<jpeg_scan_info> script;
  if (scans.empty()) return script;
  for (int c = 0; c < 3; ++c) script.push_back(scan(c, 0, progressive ? 0 : 63, 0, 0));
  if (scans != "many") return script;
  for (int c = 0; c < 3; ++c) {
    for (int k = 1; k < 64; ++k) {
      script.push_back(scan(c, k, k, 0, 3));
      for (int bit = 2; bit >= 0; --bit) script.push_back(scan(c, k, k, bit + 1, bit));
    }
  }
  return script;
}

void set_kind(jpeg_compress_struct& info, const JpegKind& kind) {
  constexpr J_COLOR_SPACE kSpaces[] = {JCS_GRAYSCALE, JCS_UNKNOWN, JCS_RGB, JCS_CMYK};
  info.input_components = kind.components;
  info.in_color_space = kSpaces[kind.components - 1];
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  if (kind.components == 3) jpeg_set_colorspace(&info, kind.transform ? JCS_YCbCr : JCS_RGB);
  if (kind.components == 4) jpeg_set_colorspace(&info, kind.transform ? JCS_YCCK : JCS_CMYK);
  info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = kind.subsampled ? 2 : 1;
  if (kind.progressive) jpeg_simple_progression(&info);
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

using PngEncoder = std::unique_ptr<spng_ctx, void (*)(spng_ctx*)>;

PngEncoder png_encoder(int64_t h, int64_t w, const PngKind& kind) {
  PngEncoder context(spng_ctx_new(SPNG_CTX_ENCODER), spng_ctx_free);
  spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header = {};
  header.width = static_cast<uint32_t>(w);
  header.height = static_cast<uint32_t>(h);
  header.bit_depth = 8;
  header.color_type = kind.color_type;
  header.interlace_method = kind.interlaced ? 1 : 0;
  EXPECT_EQ(spng_set_ihdr(context.get(), &header), 0);
  return context;
}

Bytes finish(const PngEncoder& context, std::span<const uint8_t> samples) {
  const int error = spng_encode_image(context.get(), samples.data(), samples.size(), SPNG_FMT_PNG,
                                      SPNG_ENCODE_FINALIZE);
  EXPECT_EQ(error, 0) << spng_strerror(error);
  size_t size = 0;
  int status = 0;
  const std::unique_ptr<uint8_t, Free> memory(
      static_cast<uint8_t*>(spng_get_png_buffer(context.get(), &size, &status)));
  EXPECT_EQ(status, 0) << spng_strerror(status);
  return {memory.get(), memory.get() + size};
}

}  // namespace

Image test_picture(int64_t h, int64_t w) {
  Image image{.h = h, .w = w, .rgb = {}};
  uint32_t state = 12345;
  for (int64_t i = 0; i < h * w * 3; ++i) {
    state = state * 1664525u + 1013904223u;
    image.rgb.push_back(static_cast<uint8_t>(state >> 24));
  }
  return image;
}

Bytes encode_jpeg(int64_t h, int64_t w, std::span<const uint8_t> samples, const JpegKind& kind) {
  jpeg_compress_struct info = {};
  jpeg_error_mgr errors = {};
  info.err = jpeg_std_error(&errors);  // an error ends the program: it is a mistake of the test
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = static_cast<JDIMENSION>(w);
  info.image_height = static_cast<JDIMENSION>(h);
  set_kind(info, kind);
  const std::vector<jpeg_scan_info> script = scan_script(kind.scans, kind.progressive);
  if (!script.empty()) {
    info.scan_info = script.data();
    info.num_scans = static_cast<int>(script.size());
  }
  info.optimize_coding = TRUE;  // tables before each scan
  jpeg_start_compress(&info, TRUE);
  if (!kind.app1.empty()) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, kind.app1.data(),
                      static_cast<unsigned>(kind.app1.size()));
  }
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPROW>(samples.data() + info.next_scanline * w * kind.components);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const std::unique_ptr<unsigned char, Free> owner(memory);
  return {memory, memory + size};
}

Bytes encode_jpeg(const Image& image, const JpegKind& kind) {
  return encode_jpeg(image.h, image.w, image.rgb, kind);
}

size_t find_marker(const Bytes& jpeg, uint8_t marker, size_t from) {
  const Bytes wanted = {0xFF, marker};
  return std::search(jpeg.begin() + from, jpeg.end(), wanted.begin(), wanted.end()) - jpeg.begin();
}

Bytes encode_png(int64_t h, int64_t w, std::span<const uint8_t> samples, const PngKind& kind) {
  const PngEncoder context = png_encoder(h, w, kind);
  return finish(context, samples);
}

Bytes encode_png(const Image& image, const PngKind& kind) {
  return encode_png(image.h, image.w, image.rgb, kind);
}

Bytes encode_png_with_profile(size_t profile_bytes) {
  const Image image = test_picture(4, 4);
  const PngEncoder context = png_encoder(image.h, image.w, {});
  std::vector<char> zeros(profile_bytes, 0);
  spng_iccp profile = {};
  profile.profile_name[0] = 'x';
  profile.profile_len = profile_bytes;
  profile.profile = zeros.data();
  EXPECT_EQ(spng_set_iccp(context.get(), &profile), 0);
  return finish(context, image.rgb);
}

std::vector<Chunk> png_chunks(const Bytes& png) {
  std::vector<Chunk> chunks;
  for (size_t at = 8; at < png.size();) {
    const uint32_t size = get32(png, at);
    const auto type = png.begin() + at + 4, data = type + 4;
    chunks.push_back({std::string(type, data), Bytes(data, data + size)});
    at += 12 + size;
  }
  return chunks;
}

Bytes png_of(const std::vector<Chunk>& chunks) {
  Bytes png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  for (const Chunk& chunk : chunks) {
    put(png, chunk.data.size(), 4);
    const size_t start = png.size();
    png.insert(png.end(), chunk.type.begin(), chunk.type.end());
    png.insert(png.end(), chunk.data.begin(), chunk.data.end());
    put(png, crc32(std::span(png).subspan(start)), 4);
  }
  return png;
}

Bytes with_chunk(const Bytes& png, const Chunk& chunk, std::string_view before) {
  std::vector<Chunk> chunks = png_chunks(png);
  const auto place = std::find_if(chunks.begin(), chunks.end(),
                                  [&](const Chunk& other) { return other.type == before; });
  chunks.insert(place, chunk);
  return png_of(chunks);
}

// Source: "WebP Container Specification", Extended File Format.
Bytes encode_webp(const Image& image, const Bytes& exif) {
  uint8_t* memory = nullptr;
  const int w = static_cast<int>(image.w), h = static_cast<int>(image.h);
  const size_t size = WebPEncodeLosslessRGB(image.rgb.data(), w, h, 3 * w, &memory);
  constexpr size_t kRiff = 12;
  EXPECT_GT(size, kRiff);
  Bytes webp = {'W', 'E', 'B', 'P', 'V', 'P', '8', 'X'};
  put(webp, 10, 4, false);
  put(webp, exif.empty() ? 0 : 8, 4, false);
  put(webp, w - 1, 3, false);
  put(webp, h - 1, 3, false);
  webp.insert(webp.end(), memory + kRiff, memory + size);
  WebPFree(memory);
  if (!exif.empty()) {
    webp = with_bytes(webp, Bytes{'E', 'X', 'I', 'F'});
    put(webp, exif.size(), 4, false);
    webp = with_bytes(webp, exif);
    if (exif.size() % 2 == 1) webp.push_back(0);
  }
  Bytes file = {'R', 'I', 'F', 'F'};
  put(file, webp.size(), 4, false);
  return with_bytes(file, webp);
}

Bytes bmp_of(const BmpKind& kind, const Bytes& colors, const Bytes& pixels) {
  const size_t offset = 14 + kind.header_bytes + colors.size();
  Bytes bmp = {'B', 'M'};
  const auto add = [&](uint64_t value, int bytes) { put(bmp, value, bytes, false); };
  add(offset + pixels.size(), 4);
  add(0, 4);
  add(kind.offset == 0 ? offset : kind.offset, 4);
  add(kind.header_bytes, 4);
  add(static_cast<uint32_t>(kind.w), 4);
  add(static_cast<uint32_t>(kind.h), 4);
  add(1, 2);
  add(kind.bits, 2);
  add(kind.method, 4);
  add(pixels.size(), 4);
  add(0, 8);
  add(kind.colors, 4);
  bmp.resize(14 + kind.header_bytes);
  return with_bytes(with_bytes(bmp, colors), pixels);
}

Bytes encode_bmp(const Image& image) {
  Bytes pixels;
  for (int64_t y = image.h - 1; y >= 0; --y) {
    for (int64_t x = 0; x < image.w; ++x) {
      for (int c = 2; c >= 0; --c) pixels.push_back(image.rgb[(y * image.w + x) * 3 + c]);
    }
    pixels.resize((pixels.size() + 3) / 4 * 4);
  }
  return bmp_of({.h = static_cast<int32_t>(image.h), .w = static_cast<int32_t>(image.w)}, {},
                pixels);
}

Bytes pnm_of(std::string_view header, const Bytes& pixels) {
  return with_bytes(Bytes(header.begin(), header.end()), pixels);
}

Bytes encode_ppm(const Image& image) {
  return pnm_of("P6\n" + std::to_string(image.w) + " " + std::to_string(image.h) + "\n255\n",
                image.rgb);
}

// Source: TIFF 6.0, section 2.
Bytes tiff_block(uint16_t orientation, bool big_endian, uint16_t type, uint32_t count) {
  Bytes tiff(2, big_endian ? 'M' : 'I');
  const auto add = [&](uint64_t value, int bytes) { put(tiff, value, bytes, big_endian); };
  add(42, 2);
  add(10, 4);  // the directory, behind two bytes that belong to nothing
  add(0, 2);
  add(3, 2);
  const auto entry = [&](uint16_t tag, uint16_t kind, uint32_t n, uint32_t value) {
    add(tag, 2);
    add(kind, 2);
    add(n, 4);
    add(value, kind == 4 ? 4 : 2);
    if (kind != 4) add(0, 2);
  };
  entry(0x0103, 3, 1, 6);
  entry(0x0112, type, count, orientation);
  entry(0x0213, 3, 1, 5);
  add(0, 4);
  return tiff;
}

Bytes exif_app1(const Bytes& tiff) { return with_bytes({'E', 'x', 'i', 'f', 0, 0}, tiff); }

Bytes with_bytes(Bytes a, std::span<const uint8_t> b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace penult::testing
