#include "tools/penult/moved.h"

#include <random>
#include <span>
#include <utility>

#include "engine/base/check.h"
#include "engine/model/model_data.h"

namespace penult::program {
namespace {

// At most: the seeds of the input's draws, then those of each weight's.
constexpr uint32_t kDraws = 1 << 8;

class Mover {
 public:
  explicit Mover(uint32_t seed) : random_(seed) {}
  void move(std::span<float> numbers) {
    for (float& x : numbers) {
      x = static_cast<float>(x * (1 + (random_() % 2 == 0 ? kMove : -kMove)));
    }
  }

 private:
  std::mt19937 random_;
};

class MovedStream final : public WeightStream {
 public:
  MovedStream(std::unique_ptr<WeightStream> stream, uint32_t seed)
      : stream_(std::move(stream)), mover_(seed) {}
  Status read(std::span<float> dst) override {
    PENULT_RETURN_IF_ERROR(stream_->read(dst));
    mover_.move(dst);
    return {};
  }

 private:
  std::unique_ptr<WeightStream> stream_;
  Mover mover_;
};

class MovedWeights final : public WeightSource {
 public:
  MovedWeights(std::shared_ptr<const WeightSource> source, uint32_t draw)
      : source_(std::move(source)), draw_(draw) {}
  std::unique_ptr<WeightStream> open(WeightId id) const override {
    return std::make_unique<MovedStream>(source_->open(id), draw_ + (id + 1) * kDraws);
  }

 private:
  std::shared_ptr<const WeightSource> source_;
  uint32_t draw_;
};

}  // namespace

std::vector<float> moved(std::vector<float> numbers, uint32_t draw) {
  Mover(draw).move(numbers);
  return numbers;
}

Result<std::shared_ptr<const Model>> moved(const Model& model, uint32_t draw) {
  ModelData data = model.data();
  data.graph.source = std::make_shared<MovedWeights>(std::move(data.graph.source), draw);
  return Model::from_data(std::move(data));
}

}  // namespace penult::program
