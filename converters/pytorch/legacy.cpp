// torch.save before 1.6 (and _use_new_zipfile_serialization=False): five pickles (magic number,
// protocol version, system info, the object, the list of storage keys), then for each key the
// number of elements as int64 and the raw elements.

#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <string>

#include "converters/pytorch/formats.h"
#include "converters/pytorch/state_dict.h"
#include "converters/pytorch/storage_reader.h"
#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

using Kind = Object::Kind;

// Protocol 2, LONG1, ten bytes: 0x1950a86a20f9469cfc6c.
constexpr std::array<uint8_t, 15> kMagic = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                            0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
constexpr int64_t kProtocol = 1001;

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

// The dict of system information: protocol_version, little_endian, type_sizes.
Status check_byte_order(const Object& system) {
  if (system.kind != Kind::kDict) return corrupt("the system information is not a dict");
  for (size_t i = 0; i < system.items.size(); i += 2) {
    if (system.items[i]->text != "little_endian") continue;
    if (system.items[i + 1]->kind == Kind::kBool && system.items[i + 1]->number == 1) return {};
    return Status(StatusCode::kFormatUnsupported,
                  "the file was written on a big-endian machine, expected little-endian");
  }
  return corrupt("the system information does not say the byte order");
}

// A storage that no tensor is known to have: of which class is it, if the pickle says?
Status unknown_storage(const Object& key, const Pickle& object) {
  for (const Object& o : object.objects) {
    const bool storage = o.kind == Kind::kOpaque && o.items.size() == 2;
    if (!storage || key.kind != Kind::kText || o.items[1]->kind != Kind::kText) continue;
    if (o.items[1]->text != key.text) continue;
    return Status(
        StatusCode::kFormatUnsupported,
        concat(
            "storage ", quote(key.text), " is a ", quote(opaque_name(o)),
            ", whose size is not known; convert the tensors to float32, and save them by a newer "
            "torch.save"));
  }
  return corrupt(concat("storage ", quote(key.text), " belongs to no tensor"));
}

// Walks over the storages. Sizes depend on the element type, which only the object's pickle knows.
Result<std::map<std::string, StoragePlace>> read_storages(std::span<const uint8_t> file, size_t at,
                                                          const Object& keys,
                                                          const Pickle& object) {
  std::map<std::string, const Object*> declared;
  for (const Object& o : object.objects) {
    if (o.kind != Kind::kStorage) continue;
    const auto [found, added] = declared.emplace(storage_key(o), &o);
    if (!added && (found->second->dtype != o.dtype || found->second->number != o.number)) {
      return corrupt(
          concat("storage ", quote(storage_key(o)), " is declared with two types or sizes"));
    }
  }
  if (keys.kind != Kind::kList) return corrupt("the list of storage keys is not a list");
  std::map<std::string, StoragePlace> storages;
  for (const Ref key : keys.items) {
    const auto found = key->kind == Kind::kText ? declared.find(key->text) : declared.end();
    if (found == declared.end()) return unknown_storage(*key, object);
    if (file.size() - at < 8) return corrupt("the file ends before its storages do");
    uint64_t elements = 0;
    for (size_t i = 0; i < 8; ++i) elements |= static_cast<uint64_t>(file[at + i]) << (8 * i);
    at += 8;
    const auto bytes = checked_mul(elements, dtype_bytes(found->second->dtype));
    if (elements != static_cast<uint64_t>(found->second->number) || !bytes ||
        *bytes > file.size() - at) {
      return corrupt(concat("storage ", quote(key->text), " at byte ", at, ": ", elements,
                            " elements, expected ", found->second->number, " within ",
                            file.size() - at, " bytes; was the file truncated?"));
    }
    if (!storages.emplace(key->text, StoragePlace{at, *bytes, std::nullopt}).second) {
      return corrupt(concat("storage ", quote(key->text), " occurs twice"));
    }
    at += *bytes;
  }
  if (at != file.size()) return corrupt(concat(file.size() - at, " bytes follow the last storage"));
  return storages;
}

struct Contents {
  Pickle object;
  std::map<std::string, StoragePlace> storages;  // by key
};

// Everything but the storages themselves.
Result<Contents> read_contents(const StorageReader& reader) {
  PENULT_ASSIGN_OR_RETURN(const std::vector<uint8_t> file, reader.read_all());
  if (!is_pytorch_legacy(file)) return corrupt("the magic number of torch.save is missing");
  PENULT_ASSIGN_OR_RETURN(const Pickle version, read_pickle(file, kMagic.size()));
  if (version.root->kind != Kind::kInt || version.root->number != kProtocol) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("torch.save protocol ", version.root->number, ", expected ", kProtocol));
  }
  PENULT_ASSIGN_OR_RETURN(const Pickle system, read_pickle(file, version.end));
  PENULT_RETURN_IF_ERROR(check_byte_order(*system.root));
  Contents contents;
  PENULT_ASSIGN_OR_RETURN(contents.object, read_pickle(file, system.end));
  PENULT_ASSIGN_OR_RETURN(const Pickle keys, read_pickle(file, contents.object.end));
  PENULT_ASSIGN_OR_RETURN(contents.storages,
                          read_storages(file, keys.end, *keys.root, contents.object));
  return contents;
}

}  // namespace

bool is_pytorch_legacy(std::span<const uint8_t> head) {
  return head.size() >= kMagic.size() &&
         std::memcmp(head.data(), kMagic.data(), kMagic.size()) == 0;
}

Result<StateDict> read_pytorch_legacy(const std::string& path, const ReadOptions& options) {
  static_assert(std::endian::native == std::endian::little);
  PENULT_ASSIGN_OR_RETURN(StorageReader reader, StorageReader::open(path));
  PENULT_ASSIGN_OR_RETURN(const Contents contents, read_contents(reader));
  const auto storage_bytes = [&](const Object& storage) -> Result<std::span<const uint8_t>> {
    const std::string& key = storage_key(storage);
    const auto found = contents.storages.find(key);
    if (found != contents.storages.end()) return reader.read(key, found->second);
    return corrupt(concat("storage ", quote(key), " is not in the file"));
  };
  return read_state_dict(contents.object, reader.file_bytes(), storage_bytes,
                         "PyTorch state dict (legacy format)", options.entry);
}

}  // namespace penult::converters
