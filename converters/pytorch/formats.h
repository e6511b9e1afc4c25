#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "converters/importer.h"

namespace penult::converters {

// Larger files are refused: they are read into memory.
inline constexpr uint64_t kMaxWeightFileBytes = uint64_t{4} << 30;

bool is_pytorch_legacy(std::span<const uint8_t> head);
Result<StateDict> read_pytorch_legacy(const std::string& path, const ReadOptions& options);

bool is_pytorch_zip(std::span<const uint8_t> head);
Result<StateDict> read_pytorch_zip(const std::string& path, const ReadOptions& options);

}  // namespace penult::converters
