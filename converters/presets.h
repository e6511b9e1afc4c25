#pragma once

// How pictures are prepared for a network: by name, as training code that many use does it, or from
// a JSON object.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "penult/preprocess.h"
#include "penult/status.h"

namespace penult::converters {

struct Preset {
  const char* name;   // as --preprocess takes it: [a-z0-9.-]
  const char* about;  // whose it is
  Preprocess preprocess;
};

// What Preprocess cannot say has no preset: Keras' and TensorFlow's resizing that does not smooth.
std::span<const Preset> all_presets();
const Preset* find_preset(std::string_view name);  // null if there is none
// The last one that says this, or null: what libraries do for most nets stands behind what they do
// for one.
const Preset* find_preset(const Preprocess& preprocess);

// "a", "b" and others near to `name`, for messages.
std::string presets_near(const std::string& name);

// The object `preprocess` of a provenance: resize_mode, resize, crop [h, w], filter, channel_order,
// mean, std, all of them; `antialias` may be there and must be true. No side of the crop is above
// resize. FormatCorrupt otherwise.
Result<Preprocess> parse_preprocess(std::string_view json);

// Images are cropped to the new size, and resized so that the crop shows the same part of them as
// it did before (rounded down, as timm does), or more where a side would have too many pixels for a
// model file. The longer side decides: the crop stays inside.
void crop_to(int64_t h, int64_t w, Preprocess& preprocess);

// One line: short side 256 bilinear, crop 224x224, rgb, mean (...), std (...).
std::string describe(const Preprocess& preprocess);

}  // namespace penult::converters
