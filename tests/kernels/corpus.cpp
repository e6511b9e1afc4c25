#include "tests/kernels/corpus.h"

#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "engine/base/text.h"

namespace penult::testing {
namespace {

using kernels::Problem;

std::vector<int64_t> integers(const std::string& text, char separator) {
  std::vector<int64_t> values;
  std::stringstream stream(text);
  for (std::string item; std::getline(stream, item, separator);) values.push_back(std::stoll(item));
  return values;
}

void read_pair(const std::string& text, int64_t& h, int64_t& w) {
  const auto values = integers(text, 'x');
  h = values.at(0);
  w = values.at(1);
}

Shape read_shape(const std::string& text) {
  const auto v = integers(text, 'x');
  return v.size() == 1 ? Shape::vector(v[0]) : Shape::map(v.at(0), v.at(1), v.at(2));
}

Activation read_activation(const std::string& text) {
  const size_t first = text.find(':'), second = text.find(':', first + 1);
  if (text.substr(0, first) != "clamp" || second == std::string::npos)
    throw std::runtime_error("expected clamp:LO:HI, got " + text);
  return Activation::clamp(std::stof(text.substr(first + 1)), std::stof(text.substr(second + 1)));
}

void read_key(ProblemSpec& spec, const std::string& key, const std::string& value) {
  const auto pads = [&] {
    const auto v = integers(value, ',');
    spec.top = v.at(0), spec.left = v.at(1), spec.bottom = v.at(2), spec.right = v.at(3);
  };
  const std::map<std::string, std::function<void()>> keys = {
      {"src", [&] { spec.src = read_shape(value); }},
      {"oc", [&] { spec.oc = std::stoll(value); }},
      {"k", [&] { read_pair(value, spec.kh, spec.kw); }},
      {"s", [&] { read_pair(value, spec.sh, spec.sw); }},
      {"d", [&] { read_pair(value, spec.dh, spec.dw); }},
      {"p", pads},
      {"g", [&] { spec.groups = std::stoll(value); }},
      {"bias", [&] { spec.bias = value == "1"; }},
      {"res", [&] { spec.epilogue.residual = value == "1"; }},
      {"act", [&] { spec.epilogue.activation = read_activation(value); }},
  };
  const auto found = keys.find(key);
  if (found == keys.end()) throw std::runtime_error("unknown key " + key);
  found->second();
}

int64_t out_size(int64_t in, int64_t before, int64_t after, int64_t k, int64_t stride,
                 int64_t dilation) {
  return (in + before + after - (k - 1) * dilation - 1) / stride + 1;
}

bool is_conv(const ProblemSpec& spec) { return spec.op == "conv2d"; }

std::vector<std::vector<int64_t>> weight_dims(const ProblemSpec& spec) {
  const int64_t c = spec.src.c, oc = spec.oc;
  if (spec.op == "batchnorm") return {{c}, {c}, {c}, {c}};
  if (spec.op != "linear" && !is_conv(spec)) return {};
  std::vector<std::vector<int64_t>> dims = {{oc, c}, {}};
  if (is_conv(spec)) dims[0] = {oc, c / spec.groups, spec.kh, spec.kw};
  if (spec.bias) dims[1] = {oc};
  return dims;
}

}  // namespace

Shape ProblemSpec::dst() const {
  if (op == "linear") return Shape::vector(oc);
  if (op == "global_avg_pool") return Shape::vector(src.c);
  if (op != "conv2d") return src;
  return Shape::map(oc, out_size(src.h, top, bottom, kh, sh, dh),
                    out_size(src.w, left, right, kw, sw, dw));
}

int64_t ProblemSpec::macs() const {
  if (op == "conv2d") return dst().elems() * src.c / groups * kh * kw;
  if (op == "linear") return src.c * oc;
  return src.elems();
}

int64_t ProblemSpec::roundings() const {
  constexpr int64_t kEpilogue = 2;  // residual, and storing the reference as f32
  if (op == "conv2d") return src.c / groups * kh * kw + 1 + kEpilogue;
  if (op == "linear") return src.c + 1 + kEpilogue;
  if (op == "global_avg_pool") return src.h * src.w + 2 + kEpilogue;
  if (op == "batchnorm") return 4 + kEpilogue;  // scale, shift, product, sum
  return 1 + kEpilogue;
}

bool ProblemSpec::is_exact_on_integers() const {
  return op != "batchnorm" && op != "global_avg_pool";
}

std::string ProblemSpec::to_string() const {
  std::ostringstream out;
  out << op << " src=" << src.c;
  if (src.is_map()) out << 'x' << src.h << 'x' << src.w;
  if (oc) out << " oc=" << oc;
  if (is_conv(*this)) {
    out << " k=" << kh << 'x' << kw << " s=" << sh << 'x' << sw << " d=" << dh << 'x' << dw;
    out << " p=" << top << ',' << left << ',' << bottom << ',' << right << " g=" << groups;
  }
  if (oc) out << " bias=" << bias;
  if (epilogue.residual) out << " res=1";
  const Activation& act = epilogue.activation;
  if (act.kind == Activation::Kind::kClamp) out << " act=clamp:" << act.lo << ':' << act.hi;
  return out.str();
}

Problem make_problem(const ProblemSpec& spec) {
  Problem problem;
  problem.op = spec.op;
  problem.src.resize(static_cast<size_t>(spec.inputs()));
  for (auto& src : problem.src) src.shape = spec.src;
  problem.dst.shape = spec.dst();
  problem.epilogue = spec.epilogue;
  if (spec.epilogue.residual) problem.residual.shape = spec.dst();
  problem.weight_dims = weight_dims(spec);
  if (is_conv(spec)) {
    problem.attrs.set("strides", {spec.sh, spec.sw}).set("dilations", {spec.dh, spec.dw});
    problem.attrs.set("pads", {spec.top, spec.left, spec.bottom, spec.right});
    problem.attrs.set("groups", spec.groups).set("pad_mode", int64_t{0});
  }
  if (spec.op == "batchnorm") problem.attrs.set_float("eps", 1e-3F);
  return problem;
}

ProblemSpec parse_problem(const std::string& line) {
  std::stringstream stream(line);
  ProblemSpec spec;
  stream >> spec.op;
  try {
    for (std::string item; stream >> item;) {
      const size_t equals = item.find('=');
      if (equals == std::string::npos) throw std::runtime_error("expected key=value, got " + item);
      read_key(spec, item.substr(0, equals), item.substr(equals + 1));
    }
    if (spec.src.c < 1) throw std::runtime_error("src is missing");
  } catch (const std::exception& error) {
    throw std::runtime_error("problem \"" + line + "\": " + error.what());
  }
  return spec;
}

std::vector<ProblemSpec> read_corpus(const std::string& name) {
  const std::string path = std::string(PENULT_SHAPES_DIR) + "/" + name + ".txt";
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<ProblemSpec> specs;
  for (std::string line; std::getline(file, line);) {
    line.resize(std::min(line.size(), line.find('#')));
    if (line.find_first_not_of(' ') != std::string::npos) specs.push_back(parse_problem(line));
  }
  return specs;
}

ProblemSpec reduced(ProblemSpec spec, int64_t max_test_cost) {
  const auto halve = [](int64_t size, int64_t reach) {
    const int64_t half = (size + 1) / 2;
    return half >= reach ? half : size;
  };
  while (spec.src.is_map() && spec.test_cost() > max_test_cost) {
    const Shape before = spec.src;
    spec.src.h = halve(before.h, (spec.kh - 1) * spec.dh + 1);
    spec.src.w = halve(before.w, (spec.kw - 1) * spec.dw + 1);
    if (spec.src == before) break;
  }
  return spec;
}

}  // namespace penult::testing
