// penult fetch: a published weight file by name, downloaded, checked and converted.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "converters/known_weights.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "tools/fetch/download.h"
#include "tools/penult/choice.h"
#include "tools/penult/command.h"
#include "tools/penult/convert.h"
#include "tools/penult/signals.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

using converters::KnownWeights;

constexpr double kMiB = 1 << 20;
constexpr const char* kOtherFolder = "; give another folder with --cache";

struct Options {
  std::string name, out, cache;
  bool keep_source = false, list = false, force = false, quiet = false;
  // For tests: another table, another library, and no long waiting.
  std::string table, libcurl;
  bool hurry = false;
};

// Bytes so far on stderr, if it is a terminal.
class DownloadProgress {
 public:
  explicit DownloadProgress(bool quiet) : on_(!quiet && ::isatty(STDERR_FILENO) == 1) {}
  ~DownloadProgress() {
    if (shown_) std::fputc('\n', stderr);
  }
  DownloadProgress(const DownloadProgress&) = delete;
  DownloadProgress& operator=(const DownloadProgress&) = delete;

  void update(uint64_t done, uint64_t total) {
    const auto now = Clock::now();
    const bool last = done == total && done != shown_bytes_;
    if (!on_ || done == 0 || (!last && now - last_ < std::chrono::milliseconds(100))) return;
    if (!shown_) {
      begin_ = now;
      begun_at_ = done;
    }
    last_ = now;
    shown_ = true;
    shown_bytes_ = done;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    const double speed =
        seconds > 0 ? static_cast<double>(done - std::min(done, begun_at_)) / seconds : 0;
    std::string line = fmt::format("\r{:.1f}", static_cast<double>(done) / kMiB);
    if (total > 0) line += fmt::format("/{:.1f}", static_cast<double>(total) / kMiB);
    line += fmt::format(" MiB  {:.1f} MiB/s", speed / kMiB);
    if (total > done && speed > 0) {
      line += fmt::format("  {:.0f} s left", static_cast<double>(total - done) / speed);
    }
    // The escape at the end clears what is left of a longer line.
    std::fputs((line + "\x1b[K").c_str(), stderr);
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool on_, shown_ = false;
  uint64_t shown_bytes_ = 0, begun_at_ = 0;
  Clock::time_point begin_, last_;
};

Result<std::vector<KnownWeights>> read_table(const std::string& path) {
  const auto known = converters::all_known_weights();
  if (path.empty()) return std::vector<KnownWeights>(known.begin(), known.end());
  PENULT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, read_file(path, 16 << 20));
  return converters::parse_weights_table(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool has_in_a_name(const KnownWeights& row, const std::string& part) {
  const auto holds = [&](const std::string& name) { return name.find(part) != std::string::npos; };
  return holds(row.name) || std::any_of(row.aliases.begin(), row.aliases.end(), holds);
}

// All rows, or those with `part` in a name.
Outcome list(const std::vector<KnownWeights>& table, const std::string& part) {
  constexpr const char* kRow = "{:34}  {:9}  {:25}  {}\n";
  const auto fits = [&](const KnownWeights& row) { return has_in_a_name(row, part); };
  if (std::none_of(table.begin(), table.end(), fits) && !part.empty()) {
    return converters::find_weights(table, part).status();
  }
  print_text(fmt::format(kRow, "name", "size", "licence", "also called"));
  for (const KnownWeights& row : table) {
    if (!fits(row)) continue;
    const std::string size =
        row.bytes != 0 ? fmt::format("{:.1f} MiB", static_cast<double>(row.bytes) / kMiB) : "-";
    print_text(fmt::format(kRow, row.name, size, row.licence.substr(0, row.licence.find(',')),
                           fmt::join(row.aliases, ", ")));
  }
  return {};
}

// The folder, made if need be, where downloads wait until they are converted.
Result<std::string> cache_folder(const std::string& given) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr && value[0] == '/' ? value : "");
  };
  std::string folder = given;
  if (folder.empty() && !variable("XDG_CACHE_HOME").empty()) {
    folder = variable("XDG_CACHE_HOME") + "/penult";
  }
  if (folder.empty() && !variable("HOME").empty()) folder = variable("HOME") + "/.cache/penult";
  if (folder.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "neither XDG_CACHE_HOME nor HOME names a folder to download to; give --cache");
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return folder;
  return Status(StatusCode::kIo, concat("cannot make the folder ", quote(folder), ": ",
                                        error.message(), kOtherFolder));
}

Status check_row(const KnownWeights& row) {
  if (row.url.empty()) {
    return {StatusCode::kInvalidArgument,
            concat(row.name, " is not published as a file of its own: it is ", row.file, " in ",
                   row.inside, "; unpack that, and give the file to penult convert")};
  }
  for (const converters::Architecture& arch : converters::all_architectures()) {
    if (row.arch == arch.name) return {};
  }
  return {StatusCode::kFormatUnsupported,
          concat(row.name, " is of the architecture ", quote(row.arch),
                 ", which this penult does not know")};
}

Status download(const KnownWeights& row, const std::string& path, const Options& options,
                fetch::Source& source) {
  DownloadProgress progress(options.quiet);
  fetch::Download request;
  request.url = row.url;
  request.path = path;
  request.bytes = row.bytes;
  request.sha256 = row.sha256;
  request.otherwise = concat("fetch ", row.url, " by other means and give it to penult convert");
  if (!options.libcurl.empty()) request.libcurl = options.libcurl.c_str();
  if (options.hurry) request.patience = {2, 1, 4, 0.02, 0.5};
  request.go_on = [&progress](uint64_t done, uint64_t total) {
    progress.update(done, total);
    return pending_signal() == 0;
  };
  auto downloaded = fetch::download(request);
  if (downloaded.ok()) source = *downloaded;
  const Status& status = downloaded.status();
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (status.code() == StatusCode::kIo && ::access(folder.c_str(), W_OK | X_OK) != 0) {
    return {status.code(), concat(status.message(), kOtherFolder)};
  }
  if (status.code() != StatusCode::kNotFound) return status;
  return {status.code(), concat(status.message(), ", or ", request.otherwise)};
}

Outcome fetch_weights(Options options) {
  auto table = read_table(options.table);
  if (!table.ok()) return of_file(table.status());
  if (options.list) return list(*table, options.name);
  if (options.name.empty()) {
    return Status(StatusCode::kInvalidArgument, "NAME is missing; see penult fetch --list");
  }
  PENULT_ASSIGN_OR_RETURN(const KnownWeights* row, converters::find_weights(*table, options.name));
  PENULT_RETURN_IF_ERROR(check_row(*row));
  Conversion conversion;
  conversion.out = options.out.empty() ? options.name + ".penult" : options.out;
  conversion.force = options.force;
  conversion.import.known = *row;
  PENULT_RETURN_IF_ERROR(check_output(conversion.out, options.force));
  PENULT_ASSIGN_OR_RETURN(const std::string cache, cache_folder(options.cache));
  conversion.source = (std::filesystem::path(cache) / row->file).string();

  auto source = fetch::Source::kNetwork;
  PENULT_RETURN_IF_ERROR(download(*row, conversion.source, options, source));
  const bool whole = row->sha256.size() == 64;
  print_out("{}: {}; its SHA-256 {}\n", row->file,
            source == fetch::Source::kCache ? "was there already" : "from " + row->url,
            whole ? "is the table's"
                  : fmt::format("begins with the {} digits of the table", row->sha256.size()));
  print_out("licence: {}\n", row->licence);
  Outcome converted = convert_file(conversion);
  if (const Status& status = converted.status; !status.ok()) {
    if (source == fetch::Source::kCache) return converted;
    const std::string where = concat("; the download stays: ", quote(conversion.source));
    return {converted.exit, Status(status.code(), concat(status.message(), where))};
  }
  if (options.keep_source) print_out("kept: {}\n", escape_name(conversion.source));
  if (!options.keep_source && source == fetch::Source::kNetwork) {
    ::unlink(conversion.source.c_str());
  }
  return converted;
}

}  // namespace

std::function<Outcome()> declare_fetch(CLI::App& app) {
  auto options = std::make_shared<Options>();
  not_empty(
      app.add_option("NAME", options->name, "which weights: a name or another name of --list"),
      "a name of --list")
      ->type_name("NAME");
  not_empty(app.add_option("-o,--output", options->out, "model to write [NAME.penult]"),
            "a file to write")
      ->type_name("FILE");
  not_empty(app.add_option("--cache", options->cache,
                           "where to download to [penult in XDG_CACHE_HOME, else ~/.cache/penult]"),
            "a folder")
      ->type_name("DIR");
  app.add_flag("--keep-source", options->keep_source,
               "keep the downloaded file there; one that was there already stays anyway");
  app.add_flag("--list", options->list,
               "list names, sizes and licences, and end; with NAME: those that\nhave it in a name");
  app.add_flag("--force", options->force, "replace an existing model");
  app.add_flag("--quiet", options->quiet, "no progress");
  app.add_option("--table", options->table)->group("");
  app.add_option("--libcurl", options->libcurl)->group("");
  app.add_flag("--hurry", options->hurry)->group("");
  return [options] { return fetch_weights(*options); };
}

}  // namespace penult::program
