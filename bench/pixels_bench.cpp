// What lies between a decoded picture and the network: resizing the crop, at each level, and what
// becomes of its bytes. bench/README.md says how to run it.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <deque>
#include <string>

#include "bench/harness.h"
#include "engine/base/text.h"
#include "engine/exec/deliver.h"
#include "engine/image/image.h"

namespace penult::bench {
namespace {

struct Size {
  int64_t h, w;
};
constexpr Size kPictures[] = {{375, 500}, {3000, 4000}, {200, 300}};

struct Filter {
  const char* name;
  Preprocess::Filter value;
};
constexpr Filter kFilters[] = {{"bilinear", Preprocess::Filter::kBilinear},
                               {"bicubic", Preprocess::Filter::kBicubic}};

Image noise(const Size& size) {
  Image image{.h = size.h, .w = size.w, .rgb = {}};
  image.rgb.resize(static_cast<size_t>(size.h * size.w * 3));
  uint32_t state = 1;
  for (uint8_t& byte : image.rgb) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(state >> 24);
  }
  return image;
}

// The short side to 256 pixels, the middle 224 of both: what ImageNet's networks are given.
void time_crop(benchmark::State& state, const Size& size, const Filter& filter, Isa isa) {
  setenv("PENULT_ISA_MAX", isa_name(isa), 1);  // nothing here has started a thread
  const Image image = noise(size);
  Preprocess preprocess;
  preprocess.filter = filter.value;
  std::vector<uint8_t> crop(static_cast<size_t>(preprocess.crop_h * preprocess.crop_w * 3));
  CropScratch scratch;
  const Stopwatch watch;
  for (auto _ : state) {
    const Status status = resize_and_crop(image, preprocess, crop, scratch);
    if (!status.ok()) return state.SkipWithError(status.message().c_str());
    benchmark::ClobberMemory();
  }
  state.counters["images/s"] = static_cast<double>(state.iterations()) / watch.seconds();
}

// What a run starts with: a picture of 224 by 224 in memory as the first convolution wants it.
struct InputMap {
  InputMap() {
    desc.pixel_stride = kernels::kChannelPad;
    desc.row_stride = (desc.shape.w + 2) * desc.pixel_stride;
    desc.image_stride = (desc.shape.h + 2) * desc.row_stride;
    floats.resize(static_cast<size_t>(desc.image_stride));
  }
  float* origin() { return floats.data() + desc.row_stride + desc.pixel_stride; }

  kernels::TensorDesc desc{.shape = Shape::map(3, 224, 224), .halo = {1, 1, 1, 1}};
  std::vector<float> floats;
};

template <class Write>
void time_input(benchmark::State& state, const Write& write) {
  const Image crop = noise({224, 224});
  InputMap map;
  const Stopwatch watch;
  for (auto _ : state) {
    write(crop, map);
    benchmark::ClobberMemory();
  }
  state.counters["images/s"] = static_cast<double>(state.iterations()) / watch.seconds();
}

// By way of planar floats, and at once.
void time_floats(benchmark::State& state) {
  std::vector<float> planar(size_t{3} * 224 * 224);
  time_input(state, [&](const Image& crop, InputMap& map) {
    normalize_to_chw(crop, {}, planar);
    copy_input({.planar = planar.data()}, map.desc, map.origin(), 1, {0, 1});
  });
}

void time_rgb8(benchmark::State& state) {
  const Preprocess preprocess;
  const Rgb8Values values = make_rgb8_values(preprocess.mean, preprocess.std, false);
  time_input(state, [&](const Image& crop, InputMap& map) {
    const InputImages images{.rgb8 = crop.rgb.data(), .values = &values};
    copy_input(images, map.desc, map.origin(), 1, {0, 1});
  });
}

template <class Time>
void add_row(const std::string& name, const Time& time) {
  benchmark::RegisterBenchmark(name.c_str(), time)->Unit(benchmark::kMicrosecond)->UseRealTime();
}

void register_rows(Arguments&) {
  add_row("input/floats", time_floats);
  add_row("input/rgb8", time_rgb8);
  for (const Size& size : kPictures) {
    for (const Filter& filter : kFilters) {
      for (const Isa isa : all_isas()) {
        if (!is_supported(isa) || isa == Isa::kPortable16) continue;
        add_row(concat("crop/", size.w, "x", size.h, "/", filter.name, "/", isa_name(isa)),
                [=](benchmark::State& state) { time_crop(state, size, filter, isa); });
      }
    }
  }
}

}  // namespace
}  // namespace penult::bench

int main(int argc, char** argv) {
  return penult::bench::run_program(argc, argv, benchmark::PrintDefaultHelp,
                                    penult::bench::register_rows);
}
