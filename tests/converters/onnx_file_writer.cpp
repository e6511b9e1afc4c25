#include "tests/converters/onnx_file_writer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace penult::converters::onnx::testing {
namespace {

void write_file(const std::string& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  EXPECT_TRUE(out.flush().good()) << path;
}

}  // namespace

Folder::Folder()
    : path_(::testing::TempDir() + "penult_onnx_" + std::to_string(::getpid())),
      memory_(::memfd_create("penult-onnx", MFD_CLOEXEC)) {
  std::filesystem::create_directories(path_);
}

Folder::~Folder() {
  std::filesystem::remove_all(path_);
  ::close(memory_);
}

void Folder::write(const std::string& name, std::string_view content) const {
  write_file(path(name), content);
}

Result<OnnxModel> Folder::read(const std::string& content) const {
  const std::string in_memory = "/proc/self/fd/" + std::to_string(memory_);
  write_file(in_memory, content);
  return read_onnx_model(in_memory, {});
}

Result<OnnxModel> Folder::read_with_external_data(const std::string& content) const {
  write("model.onnx", content);
  return read_onnx_model(path("model.onnx"), {.external_data = true});
}

}  // namespace penult::converters::onnx::testing
