#include "converters/onnx/layout.h"

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

constexpr std::array kNchw = {Role::kBatch, Role::kChannel, Role::kRow, Role::kColumn};

// The role that two aligned axes share; an axis of size 1 takes the other's.
Role join(NodeScope& n, Role a, int64_t a_size, Role b, int64_t b_size) {
  if (a == b || b == Role::kOne) return a;
  if (a == Role::kOne || a_size == 1) return b;
  if (b_size != 1) n.unsupported("inputs: their axes stand in different orders");
  return a;
}

}  // namespace

bool is_nchw(const NodeScope& n, const Symbol& symbol) {
  if (symbol.axes.size() != kNchw.size()) return false;
  const std::vector<int64_t> dims = n.dims(symbol);
  const Shape& shape = n.shape(symbol);
  const std::array ours = {n.batch(), shape.c, shape.h, shape.w};
  for (size_t i = 0; i < kNchw.size(); ++i) {
    if (symbol.axes[i] != kNchw[i] && (dims[i] != 1 || ours[i] != 1)) return false;
  }
  return symbol.flattened.c == 0;
}

std::string describe_axes(const Symbol& symbol) {
  std::string text;
  for (const Role role : symbol.axes) {
    text += concat(text.empty() ? "(" : ",", std::string_view("nchw1").substr(size_t(role), 1));
  }
  return text + ")";
}

void expect_nchw(NodeScope& n, const Symbol& symbol) {
  if (!n.ok() || is_nchw(n, symbol)) return;
  n.unsupported(concat("expected an input of axes (n,c,h,w), got ", describe_axes(symbol), " of ",
                       n.shape(symbol).to_string()));
}

std::optional<size_t> find_axis(const Symbol& symbol, Role role) {
  const auto found = std::find(symbol.axes.begin(), symbol.axes.end(), role);
  if (found == symbol.axes.end()) return std::nullopt;
  return static_cast<size_t>(found - symbol.axes.begin());
}

ValueId as_vector(NodeScope& n, const Symbol& symbol) {
  const Shape& shape = n.shape(symbol);
  if (!shape.is_map()) return symbol.value;
  if (shape.h == 1 && shape.w == 1) {
    // No pixel in larger images: their map would be flattened, which the file does not.
    if (std::any_of(symbol.axes.begin(), symbol.axes.end(), is_spatial)) n.made_for_size();
    return n.add(kFlattenOp, {symbol.value});
  }
  n.unsupported(concat("expected a vector or a single pixel, got ", shape.to_string()));
  return symbol.value;
}

size_t ChannelOrder::operator()(size_t i) const {
  if (is_ours()) return i;
  const auto c = static_cast<size_t>(flattened_.c);
  const auto pixels = static_cast<size_t>(flattened_.h * flattened_.w);
  return i % c * pixels + i / c;
}

Aligned align(NodeScope& n, const Symbol& a, const Symbol& b) {
  Aligned both = {a.value, b.value, a};
  if (!n.ok()) return both;
  if (a.flattened != b.flattened) n.unsupported("inputs: vectors of different orders");
  const size_t rank = std::max(a.axes.size(), b.axes.size());
  const std::vector<int64_t> a_dims = n.dims(a), b_dims = n.dims(b);
  both.like.axes.assign(rank, Role::kOne);
  for (size_t i = 0; i < rank; ++i) {  // from the last axis
    const size_t ai = a.axes.size() - 1 - i, bi = b.axes.size() - 1 - i;
    const Role ra = i < a.axes.size() ? a.axes[ai] : Role::kOne;
    const Role rb = i < b.axes.size() ? b.axes[bi] : Role::kOne;
    both.like.axes[rank - 1 - i] =
        join(n, ra, i < a.axes.size() ? a_dims[ai] : 1, rb, i < b.axes.size() ? b_dims[bi] : 1);
  }
  const auto is_pixel = [](const Shape& shape) { return shape.h == 1 && shape.w == 1; };
  const Shape sa = n.shape(a), sb = n.shape(b);
  if (sa.is_map() != sb.is_map() && is_pixel(sa) && is_pixel(sb)) {
    both.a = as_vector(n, a);
    both.b = as_vector(n, b);
  }
  return both;
}

}  // namespace penult::converters::onnx
