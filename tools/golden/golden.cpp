#include "tools/golden/golden.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/output/npz_reader.h"

namespace penult::golden {
namespace {

using Arrays = std::map<std::string, NpyArray>;

template <class T>
Status read_array(const Arrays& arrays, const std::string& key, std::vector<T>& out) {
  const auto found = arrays.find(key);
  if (found == arrays.end()) {
    return {StatusCode::kFormatCorrupt, concat("array ", quote(key), " is missing")};
  }
  PENULT_ASSIGN_OR_RETURN(out, found->second.template values<T>());
  return {};
}

template <class T>
Status read_number(const Arrays& arrays, const std::string& key, double& out) {
  std::vector<T> values;
  PENULT_RETURN_IF_ERROR(read_array(arrays, key, values));
  if (values.size() != 1) return {StatusCode::kFormatCorrupt, concat(quote(key), ": one number")};
  out = static_cast<double>(values[0]);
  return {};
}

double norm_of(std::span<const float> values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum);
}

// NaN in `values` makes the result NaN.
double largest_of(std::span<const float> values) {
  double largest = 0;
  for (const float v : values) {
    const double a = std::abs(static_cast<double>(v));
    if (!(a <= largest)) largest = a;
    if (std::isnan(largest)) break;
  }
  return largest;
}

Status read_summary(const Arrays& arrays, GoldenTap& tap) {
  PENULT_RETURN_IF_ERROR(read_array(arrays, tap.name + "/pos", tap.positions));
  PENULT_RETURN_IF_ERROR(read_array(arrays, tap.name + "/val", tap.values));
  PENULT_RETURN_IF_ERROR(read_array(arrays, tap.name + "/chan", tap.channel_sums));
  PENULT_RETURN_IF_ERROR(read_number<float>(arrays, tap.name + "/max", tap.max));
  PENULT_RETURN_IF_ERROR(read_number<double>(arrays, tap.name + "/l2", tap.l2));
  const bool ascending = std::is_sorted(tap.positions.begin(), tap.positions.end());
  if (tap.positions.empty() || tap.positions.size() != tap.values.size() || !ascending ||
      tap.positions[0] < 0) {
    return {StatusCode::kFormatCorrupt, concat("tap ", quote(tap.name), ": positions and values")};
  }
  return {};
}

// Of `tap/pos`: taps of other frameworks have slashes in their names.
std::string_view tap_of_summary(std::string_view key) {
  for (const std::string_view part : {"/pos", "/val", "/chan", "/max", "/l2"}) {
    if (key.ends_with(part)) return key.substr(0, key.size() - part.size());
  }
  return {};
}

// Which array belongs to what follows from its key.
Status read_key(const Arrays& arrays, const std::string& key, Golden& golden) {
  constexpr std::string_view kProbabilities = "probabilities/";
  if (key == "input") return read_array(arrays, key, golden.input);
  if (key == "pixels") return read_array(arrays, key, golden.pixels);
  if (key == "meta") {
    PENULT_ASSIGN_OR_RETURN(golden.meta, arrays.at(key).text());
    return {};
  }
  if (key.starts_with(kProbabilities)) {
    return read_array(arrays, key, golden.probabilities[key.substr(kProbabilities.size())]);
  }
  GoldenTap tap{.name = std::string(tap_of_summary(key))};
  if (tap.name.empty()) {
    std::vector<float> values;
    PENULT_RETURN_IF_ERROR(read_array(arrays, key, values));
    tap = complete_tap(key, std::move(values));
  } else {
    if (!key.ends_with("/pos")) return {};  // read together with the positions
    PENULT_RETURN_IF_ERROR(read_summary(arrays, tap));
  }
  golden.taps.push_back(std::move(tap));
  return {};
}

template <class T>
double cosine_of(const std::vector<T>& a, const std::vector<float>& b) {
  double dot = 0, a2 = 0, b2 = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    dot += x * y;
    a2 += x * x;
    b2 += y * y;
  }
  if (a2 == 0 && b2 == 0) return 1;
  return dot / std::sqrt(a2 * b2);
}

template <class T>
double largest_difference(const std::vector<T>& a, const std::vector<float>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(d <= largest)) largest = d;
    if (std::isnan(largest)) break;
  }
  return largest;
}

double relative(double error, double scale) { return error == 0 ? 0 : error / scale; }

// The larger error; NaN is larger than any.
double worse(double a, double b) { return std::isnan(a) || a >= b ? a : b; }

}  // namespace

GoldenTap complete_tap(std::string name, std::vector<float> values) {
  GoldenTap tap{.name = std::move(name), .values = std::move(values)};
  tap.max = largest_of(tap.values);
  tap.l2 = norm_of(tap.values);
  return tap;
}

const GoldenTap* Golden::find(const std::string& tap) const {
  for (const GoldenTap& golden : taps) {
    if (golden.name == tap) return &golden;
  }
  return nullptr;
}

Result<Golden> read_golden(const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(const Arrays arrays, read_npz(path));
  if (!arrays.contains("input") && !arrays.contains("pixels")) {
    return Status(StatusCode::kFormatUnsupported,
                  concat(quote(path),
                         " is no golden: expected an array `input` or `pixels`, as "
                         "tools/make_golden.py writes it"));
  }
  Golden golden;
  for (const auto& [key, array] : arrays) {
    if (const Status status = read_key(arrays, key, golden); !status.ok()) {
      return Status(StatusCode::kFormatCorrupt, concat(quote(path), ": ", status.message()));
    }
  }
  const size_t elems = golden.input.size() + golden.pixels.size();
  golden.size = std::lround(std::sqrt(static_cast<double>(elems) / 3));
  if (static_cast<size_t>(3 * golden.size * golden.size) != elems || elems == 0) {
    return Status(
        StatusCode::kFormatCorrupt,
        concat(quote(path), ": expected `input` or `pixels`, one square image of 3 channels"));
  }
  return golden;
}

Result<Agreement> compare(const GoldenTap& want, std::span<const float> got, int64_t channels) {
  const bool complete = want.positions.empty();
  const bool fits = complete ? want.values.size() == got.size()
                             : want.channel_sums.size() == static_cast<size_t>(channels) &&
                                   static_cast<size_t>(want.positions.back()) < got.size();
  if (!fits || channels < 1 || got.size() % static_cast<size_t>(channels) != 0) {
    return Status(StatusCode::kFormatCorrupt,
                  concat("tap ", quote(want.name), ": ", got.size(), " values of ", channels,
                         " channels, expected ",
                         complete ? concat(want.values.size(), " values")
                                  : concat(want.channel_sums.size(), " channels and more than ",
                                           want.positions.back(), " values")));
  }
  Agreement agreement;
  std::vector<float> stored(got.begin(), got.end());
  if (!complete) {
    stored.clear();
    for (const int32_t position : want.positions) stored.push_back(got[position]);
  }
  agreement.cosine = cosine_of(stored, want.values);
  agreement.error = relative(largest_difference(stored, want.values), want.max);
  agreement.max_error = relative(std::abs(largest_of(got) - want.max), want.max);
  agreement.l2_error = relative(std::abs(norm_of(got) - want.l2),
                                std::sqrt(static_cast<double>(got.size())) * want.max);
  agreement.norm_error = relative(std::abs(norm_of(got) - want.l2), want.l2);
  if (complete) return agreement;
  const size_t plane = got.size() / static_cast<size_t>(channels);
  std::vector<double> sums(static_cast<size_t>(channels), 0.0);
  for (size_t i = 0; i < got.size(); ++i) sums[i / plane] += static_cast<double>(got[i]);
  agreement.channel_cosine = cosine_of(sums, want.channel_sums);
  agreement.channel_error =
      relative(largest_difference(sums, want.channel_sums), static_cast<double>(plane) * want.max);
  return agreement;
}

double Agreement::worst_cosine() const {
  return std::isnan(cosine) || cosine <= channel_cosine ? cosine : channel_cosine;
}

double Agreement::worst_error() const {
  return worse(worse(error, max_error), worse(channel_error, l2_error));
}

bool Agreement::within_tolerance() const {
  return worst_cosine() >= kMinCosine && worst_error() <= kMaxError;
}

bool Agreement::within_f16_tolerance() const {
  return worst_cosine() >= kMinCosineF16 && norm_error <= kMaxNormErrorF16;
}

std::string Agreement::to_string() const {
  char text[200];
  std::snprintf(text, sizeof text,
                "1-cosine %.2e, of channel sums %.2e; errors: value %.2e, max %.2e, channel sums "
                "%.2e, norm %.2e",
                1 - cosine, 1 - channel_cosine, error, max_error, channel_error, l2_error);
  return text;
}

void Worst::add(const std::string& tap, const Agreement& agreement) {
  if (!std::isnan(cosine_) && !(agreement.worst_cosine() >= cosine_)) {
    cosine_ = agreement.worst_cosine();
    cosine_tap_ = tap;
  }
  if (!std::isnan(error_) && !(agreement.worst_error() <= error_)) {
    error_ = agreement.worst_error();
    error_tap_ = tap;
  }
}

std::string Worst::to_string() const {
  char text[60];
  std::snprintf(text, sizeof text, "worst 1-cosine %.2e (", 1 - cosine_);
  std::string out = text + cosine_tap_;
  std::snprintf(text, sizeof text, "), worst error %.2e of the maximum (", error_);
  return out + text + error_tap_ + ")";
}

}  // namespace penult::golden
