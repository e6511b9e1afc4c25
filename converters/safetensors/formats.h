#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "converters/importer.h"

namespace penult::converters {

// By the first bytes, or the name of a file that has none; also true for the index of several
// files, which read_safetensors refuses.
bool is_safetensors(std::span<const uint8_t> head, std::string_view path);
Result<StateDict> read_safetensors(const std::string& path);

}  // namespace penult::converters
