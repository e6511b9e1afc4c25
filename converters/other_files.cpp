#include "converters/other_files.h"

#include <algorithm>
#include <string>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kFetchAgain =
    "fetch the file itself again: the address needs a login, or is that of a page about it";
constexpr std::string_view kFromTensorFlow =
    "convert it to ONNX: python3 -m tf2onnx.convert (of the package tf2onnx)";
constexpr std::string_view kFromTfLite =
    "convert it to ONNX: python3 -m tf2onnx.convert --tflite FILE --output net.onnx";
constexpr std::string_view kFromKeras =
    "convert the model to ONNX: tf2onnx.convert.from_keras(model), or model.export(FILE, "
    "format=\"onnx\") of Keras 3";
constexpr std::string_view kUnpack = "unpack it, and convert the file that is in it";
constexpr std::string_view kFromNumpy =
    "arrays have no network with them: load them into the PyTorch model that they belong to, and "
    "save that: torch.save(model.state_dict(), \"weights.pt\")";
constexpr std::string_view kFromTheSource =
    "convert the model that it was made of: its PyTorch state dict, safetensors or ONNX file";

struct Magic {
  size_t offset;
  std::string_view bytes;
  const char* what;
  std::string_view route;
};

// One a line. None of them can begin a file of a known format: whatever the file is called, it is
// this.
// clang-format off
constexpr Magic kMagics[] = {
    {0, "version https://git-lfs"sv, "a pointer of git-lfs to the file", "fetch it: git lfs pull"},
    {0, "\x1f\x8b"sv, "compressed by gzip", kUnpack},
    {0, "BZh"sv, "compressed by bzip2", kUnpack},
    {0, "\xfd" "7zXZ\0"sv, "compressed by xz", kUnpack},
    {0, "\x28\xb5\x2f\xfd"sv, "compressed by zstd", kUnpack},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive", kUnpack},
    {0, "Rar!\x1a\x07"sv, "a RAR archive", kUnpack},
    {257, "ustar"sv, "a tar archive", kUnpack},
    {0, "\x89HDF\r\n\x1a\n"sv, "HDF5, as Keras writes it (.h5)", kFromKeras},
    {4, "TFL3"sv, "TensorFlow Lite", kFromTfLite},
    {0, "GGUF"sv, "GGUF, of llama.cpp", kFromTheSource},
    {0, "\x93NUMPY"sv, "an array of NumPy (.npy)", kFromNumpy},
    {0, "PENULT"sv, "a model of penult already", "give it to penult inspect or penult extract"},
    {0, "%PDF"sv, "a PDF document", kFetchAgain},
};
// clang-format on

struct Ending {
  std::string_view ending;
  const char* what;
  std::string_view route;
};
constexpr Ending kEndings[] = {
    {".pb", "a graph of TensorFlow (SavedModel or frozen)", kFromTensorFlow},
    {".tflite", "TensorFlow Lite", kFromTfLite},
    {".h5", "weights of Keras", kFromKeras},
    {".data-00000-of-00001", "a checkpoint of TensorFlow", kFromTensorFlow},
    {".index", "the index of a checkpoint of TensorFlow", kFromTensorFlow},
    {".xml", "a network of OpenVINO", kFromTheSource},
    {".bin", "weights without names, as OpenVINO and ncnn write them beside a network",
     kFromTheSource},
    {".param", "a network of ncnn", kFromTheSource},
    {".caffemodel", "weights of Caffe", "convert them to ONNX"},
    {".msgpack", "weights of Flax", kFromNumpy},
    {".mlmodel", "a network of Core ML", kFromTheSource},
    {".pdparams", "weights of PaddlePaddle", "convert the network to ONNX: paddle2onnx"},
    {".engine", "a plan of TensorRT", kFromTheSource},
};

std::string_view text_of(std::span<const uint8_t> head) {
  return {reinterpret_cast<const char*>(head.data()), head.size()};
}

// Without what may stand before markup.
std::string markup_of(std::span<const uint8_t> head) {
  std::string_view text = text_of(head);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const size_t begin = text.find_first_not_of(" \t\r\n");
  std::string markup(text.substr(std::min(text.size(), begin)));
  std::transform(markup.begin(), markup.end(), markup.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return markup;
}

Status seems(std::string_view what, std::string_view route) {
  return {StatusCode::kFormatUnsupported, concat("the file seems to be ", what, "; ", route)};
}

}  // namespace

Status check_not_other(std::span<const uint8_t> head, std::string_view path) {
  if (head.empty()) {
    return {StatusCode::kFormatCorrupt, "the file is empty; was it fetched or written to its end?"};
  }
  const std::string_view text = text_of(head);
  for (const Magic& row : kMagics) {
    if (text.substr(std::min(text.size(), row.offset)).starts_with(row.bytes)) {
      return seems(row.what, row.route);
    }
  }
  if (path.ends_with(".pb") && text.starts_with("\x08\x01\x12")) {
    return seems("a SavedModel of TensorFlow", kFromTensorFlow);
  }
  const std::string markup = markup_of(head);
  if (markup.starts_with("<!doctype html") || markup.starts_with("<html")) {
    return seems("a web page (HTML)", kFetchAgain);
  }
  if (markup.starts_with("<?xml") || markup.starts_with("<net")) {
    return seems("XML, such as a network of OpenVINO or an answer of a server", kFromTheSource);
  }
  return {};
}

Status unknown_file(std::span<const uint8_t> head, std::string_view path,
                    std::string_view formats) {
  if (head.size() > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5) {
    return seems("a pickle that torch.save did not write, such as a dict of NumPy arrays",
                 kFromNumpy);
  }
  for (const Ending& row : kEndings) {
    if (path.ends_with(row.ending)) return seems(row.what, row.route);
  }
  constexpr size_t kShown = 16;
  return {
      StatusCode::kFormatUnsupported,
      concat("not a weight file of a known format; its first bytes are ",
             quote(text_of(head.first(std::min(head.size(), kShown)))), "; known are: ", formats)};
}

}  // namespace penult::converters
