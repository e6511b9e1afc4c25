#include "converters/architectures/file_names.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

std::string normalised(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// Whether a word of `text` begins with `word`; `whole`: and ends with it. Both normalised.
bool has_word(std::string_view text, std::string_view word, bool whole) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool begins = at == 0 || !is_letter_or_digit(text[at - 1]);
    const bool ends = end == text.size() || !is_letter_or_digit(text[end]);
    if (begins && (ends || !whole)) return true;
  }
  return false;
}

// What files are called that could be of any network.
constexpr std::string_view kGenericWords[] = {
    "backbone",    "best",       "bin",    "checkpoint", "ckpt",  "dict",   "ema",
    "encoder",     "epoch",      "final",  "float",      "fp16",  "fp32",   "half",
    "index",       "json",       "last",   "latest",     "model", "net",    "network",
    "of",          "onnx",       "params", "pretrained", "pt",    "pth",    "pytorch",
    "safetensors", "simplified", "state",  "tar",        "torch", "weight", "weights"};

bool is_generic(std::string_view word) {
  const bool is_number = std::all_of(word.begin(), word.end(), [](char c) { return c <= '9'; });
  return is_number || std::find(std::begin(kGenericWords), std::end(kGenericWords), word) !=
                          std::end(kGenericWords);
}

bool says_nothing(const std::string& file) {
  const std::string text = normalised(file);
  std::string_view rest = text;
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    if (!is_generic(word)) return false;
  }
  return true;
}

// Networks of others that differ from a known one in layers without tensors, by a word that their
// files' names have. `normal_in`: architectures with this in their names are so themselves.
struct Telltale {
  const char* word;
  bool whole;          // else words that begin with it: resnetaa50d
  const char* family;  // the architecture's name begins so; "": any
  const char* about;
  const char* normal_in = nullptr;
};

constexpr const char* kAntialiased = "one that smooths its maps before it halves them";
constexpr const char* kDilated = "one with dilated convolutions";
constexpr const char* kCaffe = "one whose strides stand on other convolutions";
constexpr const char* kActivation = "one with another activation";

constexpr Telltale kTelltales[] = {
    {"resnetaa", false, "resnet", kAntialiased},
    {"resnetblur", false, "resnet", kAntialiased},
    {"blur", true, "", kAntialiased},
    {"blurpool", true, "", kAntialiased},
    {"antialias", false, "", kAntialiased},
    {"antialiased", true, "", kAntialiased},
    {"dilated", true, "", kDilated},
    {"os8", true, "", kDilated},
    {"os16", true, "", kDilated},
    {"deeplab", false, "", kDilated},
    {"fcn_resnet", false, "", kDilated},
    {"lraspp", false, "", kDilated},
    {"pspnet", true, "", kDilated},
    {"caffe", true, "resnet", kCaffe},
    {"caffe", true, "resnext", kCaffe},
    {"msra", true, "resnet", kCaffe},
    {"silu", true, "", kActivation, "efficientnet_b"},
    {"swish", true, "", kActivation, "efficientnet_b"},
    {"mish", true, "", kActivation},
    {"gelu", true, "", kActivation},
    {"elu", true, "", kActivation},
    {"leakyrelu", true, "", kActivation},
    {"leaky_relu", true, "", kActivation},
};

}  // namespace

std::string name_that_tells(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path given(path);
  const std::string file = given.filename().string();
  if (!says_nothing(file)) return file;
  std::error_code failed;
  fs::path folder = fs::absolute(given, failed).lexically_normal().parent_path();
  if (failed) return file;
  const fs::path above = folder.parent_path();
  // Hugging Face's cache: models--timm--NAME/snapshots/COMMIT/model.safetensors.
  if (above.filename() == "snapshots") folder = above.parent_path();
  const std::string name = folder.filename().string();
  return name.empty() ? file : concat(name, "/", file);
}

size_t agreement(const std::string& hint, std::string_view name) {
  const std::string text = normalised(hint);
  for (size_t end = name.size(); end != std::string_view::npos && end > 0;
       end = name.rfind('_', end - 1)) {
    if (has_word(text, name.substr(0, end), true)) return end;
  }
  return 0;
}

std::string other_network(const std::string& hint, std::string_view architecture) {
  const std::string text = normalised(hint);
  for (const Telltale& each : kTelltales) {
    const bool is_normal =
        each.normal_in != nullptr && architecture.find(each.normal_in) != std::string_view::npos;
    const bool is_it =
        architecture.starts_with(each.family) && has_word(text, each.word, each.whole);
    if (!is_it || is_normal) continue;
    const std::string name(architecture);
    return concat("the tensors are those of ", name, ", but the name ", quote(hint), " says ",
                  quote(each.word), ", ", each.about, ": same tensors, other features; --arch ",
                  name, " if it is ", name,
                  " all the same, else export the network as ONNX, which ", "holds its layers");
  }
  return "";
}

}  // namespace penult::converters
