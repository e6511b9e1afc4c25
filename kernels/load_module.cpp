// Part of the library, which knows of a module no more than the name of a file.

#include "kernels/load_module.h"

#include <dlfcn.h>
#include <elf.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"

namespace penult::kernels {
namespace {

template <class T>
Status read_objects(const InputFile& file, uint64_t offset, std::span<T> objects) {
  return file.read_at(offset, {reinterpret_cast<uint8_t*>(objects.data()), objects.size_bytes()});
}

// dlopen() maps what the file says it has: of one that was cut short, or is still being copied, the
// first access behind its end would kill the process. A linker writes the table of sections last.
Status check_shared_library(const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  const auto holds = [&](uint64_t offset, uint64_t bytes) {
    return offset <= file.size() && bytes <= file.size() - offset;
  };
  Elf64_Ehdr header{};
  if (holds(0, sizeof header)) PENULT_RETURN_IF_ERROR(read_objects(file, 0, std::span(&header, 1)));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_DYN ||
      header.e_phentsize != sizeof(Elf64_Phdr))
    return {StatusCode::kDevice, concat(escape_name(path), " is no shared library")};
  const Status cut(StatusCode::kDevice, concat(escape_name(path), " is cut short"));
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!holds(header.e_phoff, segments.size() * sizeof(Elf64_Phdr))) return cut;
  PENULT_RETURN_IF_ERROR(read_objects(file, header.e_phoff, std::span(segments)));
  for (const Elf64_Phdr& segment : segments)
    if (!holds(segment.p_offset, segment.p_filesz)) return cut;
  const uint64_t sections = uint64_t{header.e_shnum} * header.e_shentsize;
  return holds(header.e_shoff, sections) ? Status() : cut;
}

// The places where the loader looks for what we open without a path: LD_LIBRARY_PATH, our RUNPATH,
// and the system's, but not its cache.
std::vector<std::string> loader_folders() {
  Dl_info own{};
  void* self = nullptr;
  if (dladdr(reinterpret_cast<void*>(&open_module), &own) != 0)
    self = dlopen(own.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (self == nullptr) self = dlopen(nullptr, RTLD_LAZY);  // we are in the program itself
  std::vector<std::string> folders;
  Dl_serinfo sizes{};
  if (self != nullptr && dlinfo(self, RTLD_DI_SERINFOSIZE, &sizes) == 0) {
    std::vector<Dl_serinfo> room(sizes.dls_size / sizeof(Dl_serinfo) + 1);  // for its alignment
    room[0] = sizes;
    if (dlinfo(self, RTLD_DI_SERINFO, room.data()) == 0) {
      const Dl_serpath* const paths = room[0].dls_serpath;
      for (unsigned i = 0; i < sizes.dls_cnt; ++i) folders.emplace_back(paths[i].dls_name);
    }
  }
  if (self != nullptr) dlclose(self);
  return folders;
}

// Of the file that the loader would map. Ok also where it is not found: the loader says that best.
Status check_what_is_loaded(const std::string& path) {
  if (path.find('/') != std::string::npos) return check_shared_library(path);
  for (const std::string& folder : loader_folders()) {
    const std::string file = concat(folder, "/", path);
    if (std::error_code ignored; std::filesystem::is_regular_file(file, ignored))
      return check_shared_library(file);
  }
  return {};
}

// `why`: safe for one line.
Status unavailable(const ModuleFile& module, const std::string& why, const std::string& remedy) {
  return Status(StatusCode::kDevice, concat(module.who, ": ", why, "; ", remedy));
}

}  // namespace

Result<const BackendModule*> open_module(const ModuleFile& module, const std::string& path,
                                         Isa isa) {
  // Who named a file needs another name; who did not, another file.
  const bool named = path != module.file;
  const std::string rename =
      concat("unset ", module.variable, ", or set it to the ", module.file, " of this build");
  const std::string remedy = named ? rename : "build it again";
  const std::string shown = escape_name(path);
  if (const Status status = check_what_is_loaded(path); !status.ok())
    return unavailable(module, status.message(), remedy);
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* error = dlerror();
    const std::string why = error != nullptr ? error : "dlopen failed";
    // Of a library that the file needs the loader speaks by that library's name.
    const bool of_the_file = why.starts_with(path + ":");
    return unavailable(module, escape_name(why),
                       named && of_the_file ? rename : module.remedy(why));
  }
  auto* function = reinterpret_cast<BackendModuleFunction*>(dlsym(handle, kBackendModuleSymbol));
  if (function == nullptr)
    return unavailable(module, concat(shown, " is no module of penult"), remedy);
  const BackendModule* loaded = function(isa);
  if (!(loaded->stamp == ModuleStamp{}))
    return unavailable(module, concat(shown, " is of another build of penult"), remedy);
  if (std::string_view(loaded->file) != module.file)
    return unavailable(module, concat(shown, " is another module, ", loaded->file), remedy);
  return loaded;
}

Result<const BackendModule*> LazyModule::load() {
  const std::lock_guard lock(mutex_);
  if (loaded_ == nullptr) {
    const char* path = std::getenv(module_.variable);
    PENULT_ASSIGN_OR_RETURN(const Isa isa, usable_isa());
    const bool is_set = path != nullptr && *path != '\0';
    PENULT_ASSIGN_OR_RETURN(loaded_, open_module(module_, is_set ? path : module_.file, isa));
  }
  return loaded_;
}

}  // namespace penult::kernels
