#pragma once

// What libraries call a layer, as a word of a family's tables: "TAP NAME... =KEY".
//   TAP    the tap
//   NAME   another name of its place
//   !NAME  another name only where this library's taps are the main ones, since elsewhere it means
//          another place
//   =KEY   what the tensors' names begin with, if not with the tap
// '#' stands for a number that the family knows. An empty word, or null: the library has no name.

#include <string>
#include <vector>

#include "converters/architectures/net_builder.h"

namespace penult::converters {

struct LayerWord {
  std::string tap;  // empty: no name
  std::vector<std::string> also;
  std::string key;
};

// Every name comes behind the prefix.
LayerWord parse_word(const char* text, const std::string& prefix, int number, bool is_main = true);

// The main library's tap, the key of the library that the file is from, all other names.
LayerName join_words(LayerWord main, const LayerWord& other, const LayerWord& source);

}  // namespace penult::converters
