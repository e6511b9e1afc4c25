#pragma once

// What taps are called: the names of the file's nodes and tensors, made readable and unique.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "converters/importer.h"

namespace penult::converters::onnx {

// Valid names (1 to 255 bytes of UTF-8 without control characters), each once.
class UniqueNames {
 public:
  // `name`, or something like it: cut, escaped, and with a number behind if it is taken.
  std::string add(const std::string& name);
  // Whether it is free and valid, in which case it is taken now.
  bool take(const std::string& name);

 private:
  std::set<std::string> taken_;
  std::map<std::string, int> next_;  // number, by the name that it goes behind
};

// "/layer1/layer1.0/conv1/Conv", as PyTorch's exporter names nodes, without the operator:
// "layer1.0.conv1". Empty if the name is not made like that.
std::string module_of_path(const std::string& node);

// Names all nodes and values of `model`; those that the file names become taps, with the file's
// other names as aliases. `names` and `ops` (of the file) by value.
void name_taps(const std::vector<std::vector<ValueNames>>& names,
               const std::vector<std::string>& ops, ModelData& model);

}  // namespace penult::converters::onnx
