#include "converters/architectures/layer_words.h"

#include <algorithm>
#include <utility>

namespace penult::converters {
namespace {

std::string with_number(std::string text, int number) {
  for (size_t at; (at = text.find('#')) != std::string::npos;) {
    text.replace(at, 1, std::to_string(number));
  }
  return text;
}

}  // namespace

LayerWord parse_word(const char* text, const std::string& prefix, int number, bool is_main) {
  LayerWord word;
  if (text == nullptr) return word;
  const std::string all = with_number(text, number);
  for (size_t begin = 0, end = 0; begin < all.size(); begin = end + 1) {
    end = std::min(all.find(' ', begin), all.size());
    const char mark = all[begin];
    const std::string name = all.substr(begin, end - begin);
    if (mark == '=') {
      word.key = prefix + name.substr(1);
    } else if (mark == '!') {
      if (is_main) word.also.push_back(prefix + name.substr(1));
    } else if (word.tap.empty()) {
      word.tap = prefix + name;
    } else {
      word.also.push_back(prefix + name);
    }
  }
  if (word.key.empty()) word.key = word.tap;
  return word;
}

LayerName join_words(LayerWord main, const LayerWord& other, const LayerWord& source) {
  LayerName name(std::move(main.tap), source.key, std::move(main.also));
  if (!other.tap.empty()) name.also.push_back(other.tap);
  name.also.insert(name.also.end(), other.also.begin(), other.also.end());
  return name;
}

}  // namespace penult::converters
