#include "bench/shapes/corpus.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "engine/base/activation_def.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::shapes {
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
  std::stringstream stream(text);
  std::string name;
  std::getline(stream, name, ':');
  for (const ActivationDef& def : all_activations()) {
    if (def.name != name) continue;
    std::vector<float> values;
    for (std::string item; std::getline(stream, item, ':');) values.push_back(std::stof(item));
    if (values.size() != static_cast<size_t>(def.parameters))
      throw std::runtime_error(concat("expected ", def.parameters, " parameters, got ", text));
    values.resize(2);
    return {def.kind, values[0], values[1]};
  }
  throw std::runtime_error("unknown activation " + text);
}

void read_src(ProblemSpec& spec, const std::string& text) {
  if (spec.src.c == 0)
    spec.src = read_shape(text);
  else
    spec.further.push_back(read_shape(text));
}

const OpDef& op_of(const ProblemSpec& spec) {
  const OpDef* op = find_op(spec.op);
  if (op == nullptr) throw std::runtime_error("unknown operator " + spec.op);
  return *op;
}

bool has_attribute(const OpDef& op, std::string_view name) {
  return std::any_of(op.attributes.begin(), op.attributes.end(),
                     [&](const AttributeSpec& spec) { return spec.name == name; });
}

void read_attribute(ProblemSpec& spec, const std::string& key, const std::string& value) {
  for (const AttributeSpec& attribute : op_of(spec).attributes) {
    if (attribute.name != key) continue;
    if (attribute.kind == AttributeSpec::Kind::kInts)
      spec.attrs.set(key, integers(value, ','));
    else
      spec.attrs.set_float(key, std::stof(value));
    return;
  }
  throw std::runtime_error("unknown key " + key);
}

void read_key(ProblemSpec& spec, const std::string& key, const std::string& value) {
  const auto pads = [&] {
    const auto v = integers(value, ',');
    spec.top = v.at(0), spec.left = v.at(1), spec.bottom = v.at(2), spec.right = v.at(3);
  };
  const std::map<std::string, std::function<void()>> keys = {
      {"src", [&] { read_src(spec, value); }},
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
  if (found == keys.end()) return read_attribute(spec, key, value);
  found->second();
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

// Validated and resolved.
Attributes attributes_of(const ProblemSpec& spec) {
  const OpDef& op = op_of(spec);
  Attributes attrs = spec.attrs;
  const auto set = [&](const char* name, std::vector<int64_t> values) {
    if (has_attribute(op, name)) attrs.set(name, std::move(values));
  };
  set("kernel", {spec.kh, spec.kw});
  set("strides", {spec.sh, spec.sw});
  set("dilations", {spec.dh, spec.dw});
  set("pads", {spec.top, spec.left, spec.bottom, spec.right});
  set("groups", {spec.groups});
  if (has_attribute(op, "eps")) attrs.set_float("eps", 1e-3F);
  const Status status = check_attributes(op, attrs);
  if (!status.ok()) throw std::runtime_error(status.message());
  const auto inputs = spec.inputs();
  const auto dims = weight_dims(spec);
  if (op.resolve != nullptr) op.resolve(attrs, {Attributes(attrs), inputs, dims});
  return attrs;
}

std::string text_of(const Activation& activation) {
  const ActivationDef& def = def_of(activation);
  std::ostringstream out;
  out << " act=" << def.name;
  const float parameters[] = {activation.a, activation.b};
  for (int i = 0; i < def.parameters; ++i) out << ':' << parameters[i];
  return out.str();
}

std::string text_of(const Attribute& attribute) {
  std::ostringstream out;
  out << ' ' << attribute.name << '=';
  for (size_t i = 0; i < attribute.ints.size(); ++i) out << (i ? "," : "") << attribute.ints[i];
  for (const float value : attribute.floats) out << value;
  return out.str();
}

}  // namespace

std::vector<Shape> ProblemSpec::inputs() const {
  std::vector<Shape> shapes = {src};
  shapes.insert(shapes.end(), further.begin(), further.end());
  while (shapes.size() < op_of(*this).inputs.min) shapes.push_back(src);
  return shapes;
}

Shape ProblemSpec::dst() const {
  const auto result = op_of(*this).infer({attributes_of(*this), inputs(), weight_dims(*this)});
  if (!result.ok()) throw std::runtime_error(result.status().message());
  return *result;
}

// Two equal ones need be written once.
std::vector<Shape> ProblemSpec::written_inputs() const {
  std::vector<Shape> shapes = inputs();
  if (shapes.size() == 2 && shapes[0] == shapes[1] && op_of(*this).inputs.min == 2) {
    shapes.pop_back();
  }
  return shapes;
}

const char* ProblemSpec::table() const {
  const OpDef& def = op_of(*this);
  return def.activation != nullptr ? "activation" : def.name;
}

int64_t ProblemSpec::macs() const {
  return static_cast<int64_t>(
      op_of(*this).macs({attributes_of(*this), inputs(), weight_dims(*this)}, dst()));
}

std::string ProblemSpec::to_string() const {
  std::ostringstream out;
  const auto pair = [&](const char* key, int64_t h, int64_t w) {
    if (h != 1 || w != 1) out << key << h << 'x' << w;
  };
  out << op;
  for (const Shape& shape : written_inputs()) {
    out << " src=" << shape.c;
    if (shape.is_map()) out << 'x' << shape.h << 'x' << shape.w;
  }
  if (oc) out << " oc=" << oc;
  pair(" k=", kh, kw);
  pair(" s=", sh, sw);
  pair(" d=", dh, dw);
  if (top || left || bottom || right)
    out << " p=" << top << ',' << left << ',' << bottom << ',' << right;
  if (groups != 1) out << " g=" << groups;
  for (const Attribute& attribute : attrs.all()) out << text_of(attribute);
  if (oc && !bias) out << " bias=0";
  if (epilogue.residual) out << " res=1";
  if (epilogue.activation != Activation{}) out << text_of(epilogue.activation);
  return out.str();
}

Problem make_problem(const ProblemSpec& spec) {
  const OpDef& op = op_of(spec);
  Problem problem;
  problem.op = spec.table();
  for (const Shape& shape : spec.inputs()) problem.src.push_back({.shape = shape});
  problem.dst.shape = spec.dst();
  problem.epilogue = spec.epilogue;
  if (spec.epilogue.residual) problem.residual.shape = spec.dst();
  problem.weight_dims = weight_dims(spec);
  problem.attrs = attributes_of(spec);
  if (op.activation != nullptr) problem.function = op.activation(problem.attrs);
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
    spec.dst();  // throws if the shapes do not fit
  } catch (const std::exception& error) {
    throw std::runtime_error("problem \"" + line + "\": " + error.what());
  }
  return spec;
}

bool accepts(const kernels::Table& table, const kernels::Kernel& kernel, const ProblemSpec& spec) {
  return std::string_view(spec.table()) == table.op && kernel.declines(make_problem(spec)).empty();
}

std::vector<const char*> all_corpora() {
  std::vector<const char*> names(kNetCorpora.begin(), kNetCorpora.end());
  names.insert(names.end(), {kOthers, kTails});
  return names;
}

std::string corpora_folder() { return PENULT_SHAPES_DIR; }

std::string corpus_path(const std::string& name) { return corpora_folder() + "/" + name + ".txt"; }

std::vector<std::string> corpora_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<ProblemSpec> read_corpus(const std::string& name) {
  return read_corpus_file(corpus_path(name));
}

std::vector<ProblemSpec> read_corpus_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<ProblemSpec> specs;
  for (std::string line; std::getline(file, line);) {
    line.resize(std::min(line.size(), line.find('#')));
    if (line.find_first_not_of(' ') != std::string::npos) specs.push_back(parse_problem(line));
  }
  return specs;
}

}  // namespace penult::shapes
