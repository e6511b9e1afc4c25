// Inception-v3 (Szegedy et al. 2015): torchvision's `inception_v3`, whose weights scale their input
// anew (`transform_input`: from ImageNet's mean and deviation to 0.5 and 0.5), and timm's
// `tf_inception_v3`, the same network without that. Tap names: torchvision's FX nodes. Widths come
// from the shapes.

#include <string_view>

#include "converters/architectures/architectures.h"
#include "converters/architectures/file_names.h"
#include "converters/architectures/members.h"
#include "converters/architectures/net_builder.h"
#include "converters/architectures/twins.h"
#include "engine/base/check.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-3f;

struct Member {
  const char* name;
  const char* twin;
  bool transforms;
};

constexpr std::array<Member, 2> kMembers = {{
    {"inception_v3", "tf_inception_v3", true},
    {"tf_inception_v3", "inception_v3", false},
}};

// A second classifier for training, part of torchvision's files.
constexpr const char* kAuxiliary = "AuxLogits.";
constexpr std::string_view kTorchvisionsFile = "inception_v3_google";

bool is_torchvisions(const StateDict& weights) {
  return find(weights, "AuxLogits.fc.weight") != nullptr;
}

// Without the second classifier the file is timm's, whatever its name says: timm calls all of its
// files inception_v3. But for the name that torchvision's file has.
bool is_meant(const Member& member, const StateDict& weights) {
  if (weights.hint == member.name || weights.hint == member.twin) {
    return weights.hint == member.name;
  }
  if (is_torchvisions(weights)) {
    return is_the_twin_meant(weights.hint, member.name, member.twin, member.transforms);
  }
  const bool is_named = agreement(weights.hint, kTorchvisionsFile) == kTorchvisionsFile.size();
  return is_named == member.transforms;
}

bool looks_like(const Member& member, const StateDict& weights) {
  return has_shape(weights, "Conv2d_1a_3x3.conv.weight", {-1, 3, 3, 3}) &&
         has_shape(weights, "Mixed_7c.branch3x3dbl_3b.conv.weight", {-1, -1, 3, 1}) &&
         is_meant(member, weights);
}

class Builder {
 public:
  explicit Builder(StateDict&& weights) : net_(std::move(weights)) {}
  Result<ModelData> build(const Member& member);

 private:
  ValueId conv(const std::string& name, ValueId x, const ConvSpec& spec = {}) {
    x = net_.batchnorm(name + ".bn", net_.conv(name + ".conv", x, spec), kEps);
    return net_.activation(kRelu, name + ".relu", x);
  }
  ValueId branch(const std::string& layer, ValueId x, const ConvSpec& spec = {}) {
    return conv(name_ + ".branch" + layer, x, spec);
  }
  ValueId pooled_branch(ValueId x) {
    return branch(
        "_pool", net_.avg_pool(name_ + ".avg_pool2d", x, {.kernel = 3, .stride = 1, .padding = 1}));
  }
  ValueId halved(ValueId x) {
    return net_.max_pool(name_ + ".max_pool2d", x, {.kernel = 3, .stride = 2});
  }
  ValueId joined(const char* tap, const std::vector<ValueId>& maps) {
    return net_.concat_channels(name_ + tap, maps);
  }

  ValueId transform_input();
  ValueId stem(ValueId x);
  ValueId mixed_a(ValueId x);  // 35 pixels at 299
  ValueId mixed_b(ValueId x);  // to 17
  ValueId mixed_c(ValueId x);
  ValueId mixed_d(ValueId x);  // to 8
  ValueId mixed_e(ValueId x);

  NetBuilder net_;
  std::string name_;  // of the block
};

constexpr ConvSpec kThree = {.kernel = 3, .padding = 1};
constexpr ConvSpec kHalving = {.kernel = 3, .stride = 2};

constexpr ConvSpec row(int64_t width) {
  return {.kernel = 1, .padding = 0, .kernel_w = width, .padding_w = width / 2};
}

constexpr ConvSpec column(int64_t height) {
  return {.kernel = height, .padding = height / 2, .kernel_w = 1, .padding_w = 0};
}

// From (x - mean) / std to (x - 0.5) / 0.5.
ValueId Builder::transform_input() {
  const Preprocess imagenet;
  std::vector<float> scale, shift;
  for (size_t c = 0; c < 3; ++c) {
    scale.push_back(imagenet.std[c] / 0.5f);
    shift.push_back((imagenet.mean[c] - 0.5f) / 0.5f);
  }
  return net_.affine("transform_input", net_.input(), std::move(scale), std::move(shift));
}

ValueId Builder::stem(ValueId x) {
  x = conv("Conv2d_1a_3x3", x, kHalving);
  x = conv("Conv2d_2a_3x3", x, {.kernel = 3});
  x = conv("Conv2d_2b_3x3", x, kThree);
  x = net_.max_pool({"maxpool1", "", {"Pool1"}}, x, {.kernel = 3, .stride = 2});
  x = conv("Conv2d_3b_1x1", x);
  x = conv("Conv2d_4a_3x3", x, {.kernel = 3});
  return net_.max_pool({"maxpool2", "", {"Pool2"}}, x, {.kernel = 3, .stride = 2});
}

ValueId Builder::mixed_a(ValueId x) {
  const ValueId one = branch("1x1", x);
  const ValueId five = branch("5x5_2", branch("5x5_1", x), {.kernel = 5, .padding = 2});
  ValueId three = branch("3x3dbl_2", branch("3x3dbl_1", x), kThree);
  three = branch("3x3dbl_3", three, kThree);
  return joined(".cat", {one, five, three, pooled_branch(x)});
}

ValueId Builder::mixed_b(ValueId x) {
  const ValueId single = branch("3x3", x, kHalving);
  ValueId three = branch("3x3dbl_2", branch("3x3dbl_1", x), kThree);
  three = branch("3x3dbl_3", three, kHalving);
  return joined(".cat", {single, three, halved(x)});
}

ValueId Builder::mixed_c(ValueId x) {
  const ValueId one = branch("1x1", x);
  ValueId seven = branch("7x7_2", branch("7x7_1", x), row(7));
  seven = branch("7x7_3", seven, column(7));
  ValueId twice = branch("7x7dbl_2", branch("7x7dbl_1", x), column(7));
  twice = branch("7x7dbl_3", twice, row(7));
  twice = branch("7x7dbl_4", twice, column(7));
  twice = branch("7x7dbl_5", twice, row(7));
  return joined(".cat", {one, seven, twice, pooled_branch(x)});
}

ValueId Builder::mixed_d(ValueId x) {
  const ValueId three = branch("3x3_2", branch("3x3_1", x), kHalving);
  ValueId seven = branch("7x7x3_2", branch("7x7x3_1", x), row(7));
  seven = branch("7x7x3_3", seven, column(7));
  seven = branch("7x7x3_4", seven, kHalving);
  return joined(".cat", {three, seven, halved(x)});
}

ValueId Builder::mixed_e(ValueId x) {
  const ValueId one = branch("1x1", x);
  ValueId three = branch("3x3_1", x);
  const ValueId a = branch("3x3_2a", three, row(3));
  const ValueId b = branch("3x3_2b", three, column(3));
  three = joined(".cat", {a, b});
  ValueId twice = branch("3x3dbl_2", branch("3x3dbl_1", x), kThree);
  const ValueId c = branch("3x3dbl_3a", twice, row(3));
  const ValueId d = branch("3x3dbl_3b", twice, column(3));
  twice = joined(".cat_1", {c, d});
  return joined(".cat_2", {one, three, twice, pooled_branch(x)});
}

Result<ModelData> Builder::build(const Member& member) {
  using Block = ValueId (Builder::*)(ValueId);
  constexpr std::pair<const char*, Block> kBlocks[] = {
      {"Mixed_5b", &Builder::mixed_a}, {"Mixed_5c", &Builder::mixed_a},
      {"Mixed_5d", &Builder::mixed_a}, {"Mixed_6a", &Builder::mixed_b},
      {"Mixed_6b", &Builder::mixed_c}, {"Mixed_6c", &Builder::mixed_c},
      {"Mixed_6d", &Builder::mixed_c}, {"Mixed_6e", &Builder::mixed_c},
      {"Mixed_7a", &Builder::mixed_d}, {"Mixed_7b", &Builder::mixed_e},
      {"Mixed_7c", &Builder::mixed_e}};
  net_.leave_out(kAuxiliary);
  ValueId x = stem(member.transforms ? transform_input() : net_.input());
  for (const auto& [name, block] : kBlocks) {
    name_ = name;
    x = (this->*block)(x);
    net_.add_to_group("blocks", name);
  }
  x = net_.global_avg_pool(
      {"avgpool", "", {"dropout", "flatten", "global_pool.pool", "global_pool.flatten"}}, x);
  net_.alias("penultimate");
  if (net_.continues("fc", x)) net_.linear("fc", x);
  net_.name_stages({"Conv2d_2b_3x3", "Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7c"});
  Preprocess preprocess = {.resize = 342, .crop_h = 299, .crop_w = 299};
  if (!member.transforms) {
    preprocess.resize = 341;
    preprocess.filter = Preprocess::Filter::kBicubic;
    preprocess.mean = preprocess.std = {0.5f, 0.5f, 0.5f};
  }
  return net_.finish(member.name, preprocess);
}

// What was chosen, and what of the file is not in the model.
std::string note_on(const Member& member, const StateDict& weights) {
  std::string note;
  if (weights.hint != member.name) {
    note = std::string(member.transforms
                           ? "the input is scaled anew, as torchvision's weights want it"
                           : "the input is taken as it is, unlike with torchvision's weights") +
           "; the tensors do not say so: --arch " + member.twin + " for the other";
  }
  if (is_torchvisions(weights)) {
    note += std::string(note.empty() ? "" : "; ") +
            "left out: AuxLogits, the second classifier for training";
  }
  return note;
}

Result<ModelData> build(const Member& member, StateDict&& weights) {
  const std::string note = note_on(member, weights);
  PENULT_ASSIGN_OR_RETURN(ModelData model, Builder(std::move(weights)).build(member));
  model.info.note = note;
  return model;
}

}  // namespace

std::span<const Architecture> inceptions() {
  static constexpr auto kAll = architectures_of<kMembers, looks_like, build>();
  return kAll;
}

}  // namespace penult::converters
