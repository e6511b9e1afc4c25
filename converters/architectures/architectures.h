#pragma once

#include <span>

#include "converters/importer.h"

namespace penult::converters {

// One function and one file a family; the order in which they are asked is in architectures.cpp.
std::span<const Architecture> bagnets();
std::span<const Architecture> densenets();
std::span<const Architecture> efficientnet_lites();
std::span<const Architecture> efficientnets();
std::span<const Architecture> inceptions();
std::span<const Architecture> mnasnets();
std::span<const Architecture> mobilenet_v1();
std::span<const Architecture> mobilenet_v2();
std::span<const Architecture> mobilenet_v3();
std::span<const Architecture> regnets();
std::span<const Architecture> resnets();
std::span<const Architecture> squeezenets();
std::span<const Architecture> vggs();

}  // namespace penult::converters
