#pragma once

// A family's table of members as architectures.

#include <array>
#include <cstddef>
#include <utility>

#include "converters/importer.h"

namespace penult::converters {

template <const auto& kMembers, auto kLooksLike, size_t kIndex>
bool recognises_member(const StateDict& weights) {
  return kLooksLike(kMembers[kIndex], weights);
}

template <const auto& kMembers, auto kBuild, size_t kIndex>
Result<ModelData> build_member_at(StateDict&& weights) {
  return kBuild(kMembers[kIndex], std::move(weights));
}

template <const auto& kMembers, auto kLooksLike, auto kBuild, size_t... kIndices>
constexpr std::array<Architecture, sizeof...(kIndices)> architectures_at(
    std::index_sequence<kIndices...>) {
  return {{{kMembers[kIndices].name, recognises_member<kMembers, kLooksLike, kIndices>,
            build_member_at<kMembers, kBuild, kIndices>}...}};
}

// `kMembers`: a constant array of structs with a `name`. kLooksLike(member, weights) says whether
// names and shapes fit it, kBuild(member, std::move(weights)) builds it.
template <const auto& kMembers, auto kLooksLike, auto kBuild>
constexpr auto architectures_of() {
  return architectures_at<kMembers, kLooksLike, kBuild>(
      std::make_index_sequence<kMembers.size()>());
}

}  // namespace penult::converters
