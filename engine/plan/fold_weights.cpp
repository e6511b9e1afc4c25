#include "engine/plan/fold_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult {
namespace {

// Channels of so much are read at once, unless more are asked for: in the second-level cache they
// leave room for what is made of them, and a system call is little of the time.
constexpr int64_t kPieceBytes = int64_t{128} << 10;

Result<std::vector<float>> read_weight(const Graph& graph, WeightId id) {
  std::vector<float> values(graph.weights[id].elems());
  PENULT_RETURN_IF_ERROR(graph.source->read(id, values));
  return values;
}

// Fresh memory costs as much time as what is done with it, so a room is kept from node to node; but
// not a large one for little, which would count as used.
bool is_fit(const AlignedBuffer& room, uint64_t bytes) {
  constexpr uint64_t kLittle = uint64_t{1} << 20;
  return room.bytes() >= bytes && (room.bytes() <= kLittle || room.bytes() / 2 <= bytes);
}

}  // namespace

uint64_t folded_weights_bytes(const Graph& graph, const Node& node) {
  uint64_t elems = 0;
  for (const WeightId id : node.weights) elems += id == kNoWeight ? 0 : graph.weights[id].elems();
  if (node.fused.batchnorm && node.weights[1] == kNoWeight)
    elems += graph.weights[node.fused.batchnorm->gamma].elems();
  return elems * sizeof(float);
}

Result<std::unique_ptr<FoldedWeights>> FoldedWeights::open(const Graph& graph, const Node& node,
                                                           AlignedBuffer& room) {
  std::unique_ptr<FoldedWeights> weights(new FoldedWeights(graph, node, room));
  PENULT_RETURN_IF_ERROR(weights->read_all_but_first());
  if (node.fused.batchnorm) PENULT_RETURN_IF_ERROR(weights->fold_bias());
  if (!node.weights.empty() && node.weights[0] != kNoWeight) {
    const WeightInfo& first = graph.weights[node.weights[0]];
    weights->stream_ = graph.source->open(node.weights[0]);
    weights->oc_ = first.dims[0];
    weights->each_ = static_cast<int64_t>(first.elems()) / first.dims[0];
  }
  return weights;
}

Status FoldedWeights::read_all_but_first() {
  slots_.resize(node_.weights.size());
  for (size_t slot = 1; slot < slots_.size(); ++slot) {
    if (node_.weights[slot] == kNoWeight) continue;
    PENULT_ASSIGN_OR_RETURN(slots_[slot], read_weight(graph_, node_.weights[slot]));
  }
  return {};
}

Status FoldedWeights::fold_bias() {
  const FoldedBatchnorm& bn = *node_.fused.batchnorm;
  PENULT_ASSIGN_OR_RETURN(const auto gamma, read_weight(graph_, bn.gamma));
  PENULT_ASSIGN_OR_RETURN(const auto beta, read_weight(graph_, bn.beta));
  PENULT_ASSIGN_OR_RETURN(const auto mean, read_weight(graph_, bn.mean));
  PENULT_ASSIGN_OR_RETURN(const auto var, read_weight(graph_, bn.var));
  std::vector<float>& bias = slots_[1];
  bias.resize(gamma.size(), 0.0F);
  for (size_t c = 0; c < gamma.size(); ++c) {
    const double denominator = static_cast<double>(var[c]) + static_cast<double>(bn.eps);
    if (!(denominator > 0)) {
      return Status(StatusCode::kModelInvalid,
                    concat("node ", quote(node_.name), ": batchnorm variance + eps of channel ", c,
                           " is ", denominator, ", expected > 0"));
    }
    scales_.push_back(static_cast<double>(gamma[c]) / std::sqrt(denominator));
    bias[c] = static_cast<float>(static_cast<double>(beta[c]) +
                                 (static_cast<double>(bias[c]) - static_cast<double>(mean[c])) *
                                     scales_[c]);
  }
  return {};
}

std::span<const float> FoldedWeights::operator[](size_t slot) {
  if (slot == 0 && stream_) return channels({0, oc_});
  return slot < slots_.size() ? slots_[slot] : std::span<const float>();
}

std::span<const float> FoldedWeights::channels(kernels::Range range) {
  if (range.end > loaded_.end && status_.ok()) status_ = load(range);
  if (!status_.ok()) return {};
  const auto skipped = static_cast<size_t>((range.begin - loaded_.begin) * each_);
  const auto floats = static_cast<size_t>((range.end - range.begin) * each_);
  return std::span<const float>(room_.floats() + skipped, floats);
}

// What of the range is in the room already moves to its start.
Status FoldedWeights::load(kernels::Range range) {
  PENULT_DCHECK(range.begin >= loaded_.begin && range.begin <= loaded_.end);
  const int64_t channel_bytes = each_ * static_cast<int64_t>(sizeof(float));
  const int64_t piece = std::min(oc_, range.begin + kPieceBytes / channel_bytes);
  const kernels::Range wanted{range.begin, std::max(range.end, piece)};
  const auto kept = static_cast<size_t>((loaded_.end - range.begin) * channel_bytes);
  const std::byte* const from = room_.data() + (range.begin - loaded_.begin) * channel_bytes;
  const auto bytes = static_cast<uint64_t>((wanted.end - wanted.begin) * channel_bytes);
  if (is_fit(room_, bytes)) {
    std::memmove(room_.data(), from, kept);
  } else {
    if (kept == 0) room_ = AlignedBuffer();  // before there is another
    PENULT_ASSIGN_OR_RETURN(AlignedBuffer room, AlignedBuffer::allocate(bytes));
    if (kept > 0) std::memcpy(room.data(), from, kept);
    room_ = std::move(room);
  }
  const std::span fresh(room_.floats() + kept / sizeof(float), (bytes - kept) / sizeof(float));
  PENULT_RETURN_IF_ERROR(stream_->read(fresh));
  scale({loaded_.end, wanted.end}, fresh.data());
  loaded_ = wanted;
  return {};
}

void FoldedWeights::scale(kernels::Range range, float* weight) const {
  if (scales_.empty()) return;
  for (int64_t c = range.begin; c < range.end; ++c) {
    const double scale = scales_[static_cast<size_t>(c)];
    for (int64_t i = 0; i < each_; ++i, ++weight)
      *weight = static_cast<float>(static_cast<double>(*weight) * scale);
  }
}

Status FoldedWeights::finish() const {
  if (!status_.ok() || !stream_ || loaded_.end == oc_) return status_;
  return Status(StatusCode::kInternal, concat("node ", quote(node_.name), ": its kernel packed ",
                                              loaded_.end, " of ", oc_, " channels"));
}

}  // namespace penult
