#include "converters/architectures/mbconv.h"

#include <vector>

#include "converters/architectures/layer_words.h"
#include "converters/architectures/net_builder.h"
#include "converters/architectures/twins.h"
#include "engine/base/check.h"

namespace penult::converters::mbconv {
namespace {

int stages_of(const Member& member) { return static_cast<int>(member.family->stages.size()); }

const char* word_of(const Scheme& scheme, bool expands, BlockLayer layer) {
  return (expands ? scheme.expanding : scheme.plain)[layer];
}

struct Position {
  int stage, index, flat;
  bool expands() const { return stage > 0; }
};

LayerWord block_word(const Member& member, const Scheme& scheme, const Position& at,
                     BlockLayer layer, bool is_main = true) {
  const bool excites = member.family->stages[static_cast<size_t>(at.stage)].excites;
  return parse_word(word_of(scheme, at.expands(), layer),
                    scheme.block(at.stage, at.index, at.flat) + ".", at.expands() + 1 + excites,
                    is_main);
}

LayerWord outer_word(const Member& member, const Scheme& scheme, OuterLayer layer,
                     bool is_main = true) {
  return parse_word(scheme.outer[layer], "", stages_of(member), is_main);
}

template <typename Visit>
void each_block(const Member& member, const Visit& visit) {
  int flat = 0;
  for (int stage = 0; stage < stages_of(member); ++stage) {
    for (int i = 0; i < member.depths[static_cast<size_t>(stage)]; ++i, ++flat) {
      visit(Position{stage, i, flat});
    }
  }
}

// The tensors of a block and, in the stage's last one, none where the next would begin.
bool fits(const Member& member, const Scheme& scheme, const Position& at,
          const StateDict& weights) {
  const Stage& stage = member.family->stages[static_cast<size_t>(at.stage)];
  const auto key = [&](const Position& place, BlockLayer layer) {
    return block_word(member, scheme, place, layer).key + ".weight";
  };
  const LayerWord reduce = block_word(member, scheme, at, kReduce);
  const bool excites = !reduce.key.empty() && find(weights, reduce.key + ".weight") != nullptr;
  const bool is_last = at.index + 1 == member.depths[static_cast<size_t>(at.stage)];
  const Position beyond = {at.stage, at.index + 1, at.flat + 1};
  // Numbered through, the next block is the next stage's, or the head.
  const bool numbered_through = scheme.stage == nullptr && at.stage + 1 < stages_of(member);
  return excites == stage.excites &&
         has_shape(weights, key(at, kDepthwise), {-1, 1, stage.kernel, stage.kernel}) &&
         (numbered_through || !is_last || !find(weights, key(beyond, kDepthwise)));
}

bool fits(const Member& member, const Scheme& scheme, const StateDict& weights) {
  const auto outer = [&](OuterLayer layer) {
    return outer_word(member, scheme, layer).key + ".weight";
  };
  bool same = has_shape(weights, outer(kStem), {-1, 3, 3, 3}) &&
              has_shape(weights, outer(kHead), {-1, -1, 1, 1});
  each_block(member, [&](const Position& at) {
    same = same && fits(member, scheme, at, weights);
    if (!same || member.width == 0 || at.stage != 2 || at.index != 0) return;
    const std::string project = block_word(member, scheme, at, kProject).key + ".weight";
    same = has_shape(weights, project, {member.width, -1, 1, 1});
  });
  return same;
}

const Scheme* source_of(const Member& member, const StateDict& weights) {
  for (const Scheme* scheme : member.sources) {
    if (scheme == nullptr) continue;
    const LayerWord first = block_word(member, *scheme, {}, kDepthwise);
    if (find(weights, first.key + ".weight")) return scheme;
  }
  return nullptr;
}

// In torchvision's names and the package's there is only one of the twins.
const char* twin_in(const Member& member, const StateDict& weights) {
  const Scheme* scheme = source_of(member, weights);
  return scheme == &kTimm || scheme == &kTimmV3 ? member.twin : nullptr;
}

class Builder {
 public:
  Builder(const Member& member, StateDict&& weights)
      : member_(member), source_(source_of(member, weights)), net_(std::move(weights)) {
    if (source_ == nullptr) source_ = member.sources[0];
  }
  Result<ModelData> build();

 private:
  LayerName outer(OuterLayer layer) const {
    return join_words(
        outer_word(member_, *member_.main, layer),
        member_.other ? outer_word(member_, *member_.other, layer, false) : LayerWord{},
        outer_word(member_, *source_, layer));
  }
  LayerName layer(BlockLayer layer) const {
    return join_words(
        block_word(member_, *member_.main, at_, layer),
        member_.other ? block_word(member_, *member_.other, at_, layer, false) : LayerWord{},
        block_word(member_, *source_, at_, layer));
  }
  // Other names of the place that was made last.
  void name_again(BlockLayer layer) {
    const LayerName names = this->layer(layer);
    if (!names.tap.empty()) net_.alias(names.tap);
    for (const std::string& name : names.also) net_.alias(name);
  }
  ConvSpec spec(int64_t kernel, int64_t stride, bool depthwise) const {
    return {.kernel = kernel,
            .stride = stride,
            .padding = kernel / 2,
            .same_padding = member_.same_padding,
            .depthwise = depthwise};
  }
  ValueId norm(const LayerName& name, ValueId x) { return net_.batchnorm(name, x, member_.eps); }

  ValueId squeeze_excite(ValueId x);
  ValueId block(ValueId x);
  void name_block();
  ValueId classifier(ValueId x);

  const Member& member_;
  const Scheme* source_;
  NetBuilder net_;
  Position at_ = {};
  std::string last_;                 // the module that ended last
  std::vector<std::string> scales_;  // the last module of each scale
};

ValueId Builder::squeeze_excite(ValueId x) {
  ValueId scale = net_.global_avg_pool(layer(kPool), x);
  scale = net_.linear(layer(kReduce), scale);
  scale = net_.activation(*member_.family->reduce, layer(kReduceAct), scale);
  scale = net_.linear(layer(kRaise), scale);
  scale = net_.activation(*member_.family->gate, layer(kGate), scale);
  return net_.scale_channels(layer(kScale), x, scale);
}

ValueId Builder::block(ValueId x) {
  const Stage& stage = member_.family->stages[static_cast<size_t>(at_.stage)];
  const int64_t stride = at_.index == 0 ? stage.stride : 1;
  const ValueId shortcut = x;
  if (stride > 1) scales_.push_back(last_);
  if (at_.expands()) {
    x = norm(layer(kExpandNorm), net_.conv(layer(kExpand), x, spec(1, 1, false)));
    x = net_.activation(*stage.function, layer(kExpandAct), x);
  }
  x = norm(layer(kDepthwiseNorm),
           net_.conv(layer(kDepthwise), x, spec(stage.kernel, stride, true)));
  x = net_.activation(*stage.function, layer(kDepthwiseAct), x);
  if (stage.excites) {
    x = squeeze_excite(x);
  } else {
    name_again(kUnexcited);
  }
  ConvSpec project = spec(1, 1, false);
  // Tensors were looked at before.
  if (net_.follows() && at_.stage == 2 && at_.index == 0) project.channels = member_.width;
  x = norm(layer(kProjectNorm), net_.conv(layer(kProject), x, project));
  if (stride == 1 && net_.channels(x) == net_.channels(shortcut)) {
    name_again(kUnadded);
    x = net_.add(layer(kAddition), x, shortcut);
  }
  return x;
}

// The block is over: it is one of the group, and the other library's modules end here as well.
void Builder::name_block() {
  last_ = net_.last_tap();
  net_.add_to_group("blocks", last_);
  if (member_.other == nullptr) return;
  const std::string name = member_.other->block(at_.stage, at_.index, at_.flat);
  const bool has_number = name.back() >= '0' && name.back() <= '9';
  if (has_number) net_.alias(name);
  const bool is_last = at_.index + 1 == member_.depths[static_cast<size_t>(at_.stage)];
  const std::string stage =
      is_last && member_.other->stage != nullptr ? member_.other->stage(at_.stage) : "";
  if (!stage.empty()) net_.alias(stage);
}

ValueId Builder::classifier(ValueId x) {
  if (member_.family->hidden && net_.continues(outer(kHidden).key, x)) {
    x = net_.linear(outer(kHidden), x);
    x = net_.activation(*member_.family->ends, outer(kHiddenAct), x);
  }
  net_.alias("penultimate");
  return net_.continues(outer(kClassifier).key, x) ? net_.linear(outer(kClassifier), x) : x;
}

Result<ModelData> Builder::build() {
  const bool ends_are_blocks = member_.main->ends_are_blocks;
  ValueId x = norm(outer(kStemNorm), net_.conv(outer(kStem), net_.input(), spec(3, 2, false)));
  x = net_.activation(*member_.family->ends, outer(kStemAct), x);
  last_ = net_.last_tap();
  if (ends_are_blocks) net_.add_to_group("blocks", last_);
  each_block(member_, [&](const Position& at) {
    at_ = at;
    x = block(x);
    name_block();
  });
  x = norm(outer(kHeadNorm), net_.conv(outer(kHead), x, spec(1, 1, false)));
  x = net_.activation(*member_.family->ends, outer(kHeadAct), x);
  if (member_.family->head_scales) last_ = net_.last_tap();
  scales_.push_back(last_);
  if (ends_are_blocks || member_.family->head_scales) {
    net_.add_to_group("blocks", net_.last_tap());
  }
  classifier(net_.global_avg_pool(outer(kMean), x));
  net_.name_stages(scales_);
  return net_.finish(member_.name, member_.preprocess);
}

}  // namespace

bool looks_like(const Member& member, const StateDict& weights) {
  const Scheme* scheme = source_of(member, weights);
  return scheme != nullptr && fits(member, *scheme, weights) &&
         is_the_twin_meant(weights.hint, member.name, twin_in(member, weights), member.is_default);
}

Result<ModelData> build(const Member& member, StateDict&& weights) {
  const std::string note = note_on_twins(weights.hint, member.name, twin_in(member, weights));
  PENULT_ASSIGN_OR_RETURN(ModelData model, Builder(member, std::move(weights)).build());
  model.info.note = note;
  return model;
}

}  // namespace penult::converters::mbconv
