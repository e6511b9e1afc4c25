#pragma once

// What PyTorch says of its networks (tests/golden/architectures.npz), for tests of the
// architectures: state dicts of their tensors, whose matrices have no numbers.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/model/model_data.h"
#include "tests/support/seeded_weights.h"

namespace penult::converters {

inline const std::vector<penult::testing::NetFacts>& all_nets() {
  static const std::vector<penult::testing::NetFacts> nets = [] {
    auto facts = penult::testing::load_net_facts();
    EXPECT_TRUE(facts.ok()) << facts.status().message();
    return facts.ok() ? std::move(facts).value() : std::vector<penult::testing::NetFacts>();
  }();
  return nets;
}

inline std::vector<std::string> names_of_nets() {
  std::vector<std::string> names;
  for (const penult::testing::NetFacts& net : all_nets()) names.push_back(net.name);
  return names;
}

inline const penult::testing::NetFacts& facts_of(const std::string& name) {
  return *std::find_if(all_nets().begin(), all_nets().end(),
                       [&](const penult::testing::NetFacts& net) { return net.name == name; });
}

inline StateDict tensors_of(const std::string& net) {
  StateDict dict;
  dict.hint = facts_of(net).architecture();
  for (const penult::testing::NetFacts::Tensor& tensor : facts_of(net).tensors) {
    dict.tensors.push_back({tensor.name, tensor.dims, {}, tensor.is_counter});
    if (tensor.dims.size() == 1) dict.tensors.back().data.assign(tensor.dims[0], 0.5f);
  }
  return dict;
}

inline NamedTensor& tensor_of(StateDict& dict, const std::string& name) {
  return *std::find_if(dict.tensors.begin(), dict.tensors.end(),
                       [&](const NamedTensor& t) { return t.name == name; });
}

inline Result<ModelData> build_as(const std::string& architecture, StateDict&& dict) {
  for (const Architecture& candidate : all_architectures()) {
    if (candidate.name == architecture) return candidate.build(std::move(dict));
  }
  return Status(StatusCode::kNotFound, architecture);
}

inline std::vector<std::string> recognised(const StateDict& dict) {
  std::vector<std::string> names;
  for (const Architecture& architecture : all_architectures()) {
    if (architecture.recognises(dict)) names.push_back(architecture.name);
  }
  return names;
}

inline std::string refusal(const std::string& architecture, StateDict&& dict) {
  const auto model = build_as(architecture, std::move(dict));
  EXPECT_EQ(model.status().code(), StatusCode::kModelInvalid);
  return model.status().message();
}

// The main name of what `name` stands for.
inline std::string place(const ModelData& model, const std::string& name) {
  const auto taps = resolve_tap(model, name);
  return taps.ok() ? model.taps[static_cast<size_t>(taps->back())].name : taps.status().message();
}

}  // namespace penult::converters
