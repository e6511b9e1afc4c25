// torch.save since 1.6: a zip archive with one root folder: data.pkl (the object), byteorder, and
// data/<key> with the raw elements of each storage.

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "converters/pytorch/formats.h"
#include "converters/pytorch/state_dict.h"
#include "converters/pytorch/storage_reader.h"
#include "converters/pytorch/zip_reader.h"
#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

// "archive/" of "archive/data.pkl"; every entry must lie under it.
Result<std::string> find_root(const ZipReader& zip) {
  if (zip.entries().empty()) return corrupt("zip archive: it is empty");
  const std::string& first = zip.entries()[0].name;
  const size_t slash = first.find('/');
  if (slash == std::string::npos || slash == 0) {
    return corrupt(concat("zip archive: entry ", quote(first),
                          " lies in no folder, as all do in a file of torch.save; is it another "
                          "archive? then unpack it, and convert the file that is in it"));
  }
  const std::string root = first.substr(0, slash + 1);
  for (const auto& entry : zip.entries()) {
    if (entry.name.compare(0, root.size(), root) != 0) {
      return corrupt(concat("zip archive: entry ", quote(entry.name), " is outside ", quote(root)));
    }
  }
  return root;
}

// Other kinds of archives that PyTorch writes, by an entry that a state dict has not (the archive's
// root folder left out), and what their owner can do.
struct OtherKind {
  std::string_view entry;  // that it begins with
  const char* what;
  const char* tensors;  // Python for its state dict
};
constexpr OtherKind kOtherKinds[] = {
    {"code/", "a TorchScript module (torch.jit.save)", "torch.jit.load(FILE).state_dict()"},
    {"constants.pkl", "a TorchScript module (torch.jit.save)", "torch.jit.load(FILE).state_dict()"},
    {"archive_format", "an exported program (torch.export.save)",
     "torch.export.load(FILE).state_dict"},
    {"models/model.json", "an exported program (torch.export.save)",
     "torch.export.load(FILE).state_dict"},
    {"serialized_exported_program.json", "an exported program (torch.export.save)",
     "torch.export.load(FILE).state_dict"},
};

bool is_one_of(std::string_view name, std::span<const std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

// Archives that PyTorch did not write, by what is in them.
Status check_writer(const std::vector<std::string>& names) {
  constexpr std::string_view kArray[] = {".npy"};
  constexpr std::string_view kKeras[] = {"model.weights.h5"};
  constexpr std::string_view kPacked[] = {".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".onnx"};
  const auto unsupported = [](const auto&... words) {
    return Status(StatusCode::kFormatUnsupported, concat("the file is a zip archive ", words...));
  };
  for (const std::string& name : names) {
    if (name.ends_with("/data.pkl")) return {};
  }
  for (const std::string& name : names) {
    if (is_one_of(name, kArray)) {
      return unsupported(
          "of NumPy arrays (.npz), without the network that they belong to; load "
          "them into its PyTorch model, and save that: torch.save(model.state_dict"
          "(), \"weights.pt\")");
    }
    if (is_one_of(name, kKeras)) {
      return unsupported(
          "of Keras (.keras); convert the model to ONNX: tf2onnx.convert.from_keras"
          "(model), or model.export(FILE, format=\"onnx\") of Keras 3");
    }
    if (is_one_of(name, kPacked)) {
      return unsupported("that holds ", quote(name), "; unpack it, and convert that file");
    }
  }
  return {};
}

// FormatUnsupported for those. Whatever else is wrong with the archive ZipReader::open says.
Status check_kind(std::span<const uint8_t> file) {
  const auto names = ZipReader::list_names(file);
  if (!names.ok()) return {};
  for (const std::string& name : *names) {
    const std::string_view inside = std::string_view(name).substr(name.find('/') + 1);
    for (const OtherKind& kind : kOtherKinds) {
      if (!inside.starts_with(kind.entry) && name != kind.entry) continue;
      return Status(
          StatusCode::kFormatUnsupported,
          concat("the file holds ", kind.what,
                 ", which is a program; save its tensors in Python: torch.save(", kind.tensors,
                 ", \"weights.pt\"), or export the network: ", "torch.onnx.export(model, ...)"));
    }
  }
  return check_writer(*names);
}

// An entry that the format needs: without it the archive is damaged.
Result<std::span<const uint8_t>> read_required(const ZipReader& zip, const std::string& name) {
  auto bytes = zip.read(name);
  if (bytes.status().code() != StatusCode::kNotFound) return bytes;
  return corrupt(concat("zip archive: entry ", quote(name), " is missing"));
}

Status check_byte_order(const ZipReader& zip, const std::string& root) {
  const auto order = zip.read(root + "byteorder");
  if (order.status().code() == StatusCode::kNotFound) return {};  // before torch 2.1: little
  PENULT_RETURN_IF_ERROR(order.status());
  const std::string text(order->begin(), order->end());
  if (text == "little") return {};
  return Status(StatusCode::kFormatUnsupported,
                concat("byte order ", quote(text), ", expected \"little\""));
}

struct Contents {
  Pickle object;
  std::map<std::string, StoragePlace> storages;  // by key
};

// Everything but the storages themselves.
Result<Contents> read_contents(const StorageReader& reader) {
  PENULT_ASSIGN_OR_RETURN(const std::vector<uint8_t> file, reader.read_all());
  PENULT_RETURN_IF_ERROR(check_kind(file));
  PENULT_ASSIGN_OR_RETURN(const ZipReader zip, ZipReader::open(file));
  PENULT_ASSIGN_OR_RETURN(const std::string root, find_root(zip));
  PENULT_RETURN_IF_ERROR(check_byte_order(zip, root));
  PENULT_ASSIGN_OR_RETURN(const auto data, read_required(zip, root + "data.pkl"));
  Contents contents;
  PENULT_ASSIGN_OR_RETURN(contents.object, read_pickle(data, 0));
  if (contents.object.end != data.size()) return corrupt("bytes follow the pickle of data.pkl");
  const std::string folder = root + "data/";
  for (const ZipReader::Entry& entry : zip.entries()) {
    if (!entry.name.starts_with(folder)) continue;
    contents.storages.emplace(entry.name.substr(folder.size()),
                              StoragePlace{entry.data_offset, entry.bytes, entry.crc32});
  }
  return contents;
}

}  // namespace

bool is_pytorch_zip(std::span<const uint8_t> head) {
  return head.size() >= 4 && head[0] == 'P' && head[1] == 'K' && head[2] == 3 && head[3] == 4;
}

Result<StateDict> read_pytorch_zip(const std::string& path, const ReadOptions& options) {
  PENULT_ASSIGN_OR_RETURN(StorageReader reader, StorageReader::open(path));
  PENULT_ASSIGN_OR_RETURN(const Contents contents, read_contents(reader));
  const auto storage_bytes = [&](const Object& storage) -> Result<std::span<const uint8_t>> {
    const std::string& key = storage_key(storage);
    const auto found = contents.storages.find(key);
    if (found == contents.storages.end()) {
      return corrupt(concat("zip archive: entry ", quote("data/" + key), " is missing"));
    }
    const uint64_t expected = static_cast<uint64_t>(storage.number) * dtype_bytes(storage.dtype);
    if (static_cast<uint64_t>(storage.number) > kMaxWeightFileBytes ||
        found->second.bytes != expected) {
      return corrupt(concat("storage ", quote(key), ": ", found->second.bytes, " bytes, expected ",
                            storage.number, " elements of ", dtype_name(storage.dtype)));
    }
    return reader.read(key, found->second);
  };
  return read_state_dict(contents.object, reader.file_bytes(), storage_bytes,
                         "PyTorch state dict (zip format)", options.entry);
}

}  // namespace penult::converters
