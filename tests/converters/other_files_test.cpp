// Files that are no weights: what they seem to be, and what to do.

#include "converters/other_files.h"

#include <gmock/gmock.h>

#include "converters/importer.h"
#include "engine/base/text.h"
#include "tests/support/tiny_model.h"

namespace penult::converters {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::string_literals;

Status refusal(const std::string& name, const std::string& content,
               const ImportOptions& options = {}) {
  const penult::testing::TemporaryFile file(name);
  file.write(content);
  return import_file(file.path(), options).status();
}

struct Case {
  const char* name;
  std::string content;
  const char* what;
  const char* route;
};

TEST(OtherFiles, AreNamedWithAWayOut) {
  const std::string page = "<head><title>Sign in</title></head>";
  const std::string tar = std::string(257, 'x') + "ustar\0"s + std::string(250, 0);
  const Case cases[] = {
      {"a.pth", "version https://git-lfs.github.com/spec/v1\n", "a pointer of git-lfs",
       "git lfs pull"},
      {"a.safetensors", "version https://git-lfs.github.com/spec/v1\n", "git-lfs", "git lfs pull"},
      {"a.onnx", "version https://git-lfs.github.com/spec/v1\n", "git-lfs", "git lfs pull"},
      {"a.pth", "<!DOCTYPE html><html>" + page, "a web page (HTML)", "needs a login"},
      {"a.safetensors", "\xef\xbb\xbf\n  <HTML>" + page, "a web page (HTML)", "needs a login"},
      {"a.xml", "<?xml version=\"1.0\"?>\n<net name=", "OpenVINO", "that it was made of"},
      {"a.pth.gz", "\x1f\x8b\x08\0\0\0\0\0\0\x03"s, "compressed by gzip", "unpack it"},
      {"a.pth", "BZh91AY", "compressed by bzip2", "unpack it"},
      {"a.pth.tar", tar, "a tar archive", "unpack it"},
      {"a.h5", "\x89HDF\r\n\x1a\n\0\0"s, "HDF5, as Keras", "ONNX: tf2onnx"},
      {"a.bin", "\x1c\0\0\0TFL3"s, "TensorFlow Lite", "tf2onnx.convert --tflite"},
      {"a.gguf", "GGUF\3\0\0\0\1\0"s, "GGUF", "that it was made of"},
      {"a.npy", "\x93NUMPY\1\0"s, "an array of NumPy", "torch.save(model.state_dict()"},
      {"a.pkl", "\x80\4\x95\1\0\0\0\0\0\0\0}."s, "a pickle that torch.save did not write",
       "torch.save(model.state_dict()"},
      {"saved_model.pb", "\x08\1\x12\3abc"s, "a SavedModel of TensorFlow", "tf2onnx"},
      {"frozen.pb", "\x0a\x2a\x0a\x05input"s, "a graph of TensorFlow", "tf2onnx"},
      {"a.bin", "0123456789abcdefgh", "OpenVINO", "that it was made of"},
      {"a.pth", "PENULT\r\n\1", "a model of penult already", "penult inspect"},
  };
  for (const Case& one : cases) {
    const Status status = refusal(one.name, one.content);
    EXPECT_EQ(status.code(), StatusCode::kFormatUnsupported) << one.name;
    EXPECT_THAT(status.message(), AllOf(HasSubstr(one.what), HasSubstr(one.route))) << one.name;
  }
}

TEST(OtherFiles, AnEmptyOneIsSaidToBeEmpty) {
  for (const char* name : {"a.pth", "a.safetensors", "a.onnx"}) {
    const Status status = refusal(name, "");
    EXPECT_EQ(status.code(), StatusCode::kFormatCorrupt);
    EXPECT_THAT(status.message(), HasSubstr("the file is empty"));
  }
}

TEST(OtherFiles, OfAnUnknownOneTheFirstBytesAreShown) {
  const Status status = refusal("a.weights", "ab\x1b\n\xff\"0123456789abcdef");
  EXPECT_EQ(status.code(), StatusCode::kFormatUnsupported);
  EXPECT_THAT(status.message(),
              HasSubstr("its first bytes are \"ab\\x1b\\x0a\\xff\\x220123456789\"; known are: "));
}

TEST(OtherFiles, FirstBytesOfWeightFilesAreNoneOfTheirs) {
  for (const char* file : {"torch_zip.pt", "torch_legacy.pt", "torch.safetensors"}) {
    const auto weights = import_file(concat(PENULT_FIXTURES_DIR, "/", file), {});
    EXPECT_THAT(weights.status().message(), HasSubstr("fit no known architecture")) << file;
  }
}

TEST(UnknownNetworks, AreSentToOnnx) {
  const std::string path = concat(PENULT_FIXTURES_DIR, "/torch_zip.pt");
  ImportOptions named;
  named.arch = "mobilenet_v2";
  for (const ImportOptions& options : {ImportOptions(), named}) {
    EXPECT_THAT(import_file(path, options).status().message(),
                AllOf(HasSubstr("torch.onnx.export(model, ...)"),
                      HasSubstr("torch.save(model.PART.state_dict()"),
                      HasSubstr("a head that is not needed can be left out")));
  }
}

TEST(Entry, IsForCheckpointsOnly) {
  ImportOptions options;
  options.entry = "state_dict";
  for (const char* file : {"torch.safetensors", "torch_zip.pt"}) {
    const Status status = import_file(concat(PENULT_FIXTURES_DIR, "/", file), options).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << file;
    EXPECT_THAT(status.message(), HasSubstr("--entry"));
  }
  EXPECT_THAT(refusal("a.onnx", "\x08\x07", options).message(),
              HasSubstr("only PyTorch checkpoints have entries"));
  const std::string checkpoint = concat(PENULT_FIXTURES_DIR, "/torch_checkpoint_zip.pt");
  EXPECT_THAT(import_file(checkpoint, options).status().message(), HasSubstr("architecture"));
  options.entry = "model";
  EXPECT_THAT(import_file(checkpoint, options).status().message(),
              HasSubstr("expected one of \"state_dict\""));
}

}  // namespace
}  // namespace penult::converters
