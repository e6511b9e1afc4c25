#include "converters/architectures/architectures.h"

namespace penult::converters {
namespace {

using Family = std::span<const Architecture> (*)();

// One a line, so that a new one is one line more.
// clang-format off
constexpr Family kFamilies[] = {
    mobilenet_v2,
    efficientnet_lites,
    resnets,
    mobilenet_v1,
    mobilenet_v3,
    efficientnets,
    mnasnets,
    regnets,
    densenets,
    squeezenets,
    inceptions,
    vggs,
    bagnets,
};
// clang-format on

std::vector<Architecture> members() {
  std::vector<Architecture> all;
  for (const Family family : kFamilies) all.insert(all.end(), family().begin(), family().end());
  return all;
}

}  // namespace

std::span<const Architecture> all_architectures() {
  static const std::vector<Architecture> kAll = members();
  return kAll;
}

}  // namespace penult::converters
