#include "tests/support/seeded_nets.h"

#include <gtest/gtest.h>

#include <array>
#include <ostream>
#include <utility>

#include "engine/model/model_data.h"
#include "tests/support/seeded_weights.h"

namespace penult::testing {
namespace {

constexpr std::array kNets = {
    SeededNet{"resnet18", 96, false},
    SeededNet{"resnet50", 96, true},
    SeededNet{"resnext50_32x4d", 64, true},
    SeededNet{"mobilenetv1_100", 96, false},
    SeededNet{"mobilenet_v3_large", 96, false},
    SeededNet{"mobilenet_v3_small", 96, false},
    SeededNet{"bagnet17", 64, true},
    SeededNet{"efficientnet_b0_narrow", 64, false},
    SeededNet{"tf_mobilenetv3_small_100", 64, false},
    SeededNet{"mnasnet0_5", 64, false},
    SeededNet{"regnet_y_400mf_narrow", 64, false},
    SeededNet{"resnet26d_narrow", 64, false},
    SeededNet{"densenet121_narrow", 32, false},
    SeededNet{"squeezenet1_1", 64, false},
    SeededNet{"inception_v3_narrow", 96, false, true},
    SeededNet{"vgg11_bn_narrow", 64, false},
};

}  // namespace

std::span<const SeededNet> seeded_nets() { return kNets; }

void PrintTo(const SeededNet& net, std::ostream* out) { *out << net.name; }

std::shared_ptr<const Model> seeded_model(const std::string& name) {
  static std::shared_ptr<const Model> last;
  static std::string last_name;
  if (last != nullptr && last_name == name) return last;
  const auto facts = load_net_facts(name);
  auto data = facts.ok() ? build_model(seeded_weights(*facts)) : facts.status();
  auto model = data.ok() ? Model::from_data(std::move(data).value()) : data.status();
  if (!model.ok()) {
    ADD_FAILURE() << name << ": " << model.status().message();
    return nullptr;
  }
  EXPECT_EQ((*model)->architecture(), facts->architecture());
  last_name = name;
  return last = *model;
}

Result<Golden> load_golden(const SeededNet& net) {
  auto golden = load_golden(std::string(net.name) + "_" + std::to_string(net.size));
  EXPECT_TRUE(!golden.ok() || golden->size == net.size) << net.name;
  return golden;
}

}  // namespace penult::testing
