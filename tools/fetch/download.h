#pragma once

// A file from the network, or nothing: resumed where it was left, and checked before it has its
// name. Knows nothing of what is in the file.

#include <cstdint>
#include <functional>
#include <string>

#include "penult/status.h"

namespace penult::fetch {

struct Patience {
  long connect_s = 20;
  long stall_s = 30;            // with less than a kilobyte a second
  int tries = 4;                // in all, where it may have been an accident
  double first_pause_s = 1;     // then twice as long each time
  double longest_pause_s = 60;  // whatever the server asks for
};

struct Download {
  std::string url;     // https; http from this very machine only
  std::string path;    // of the file; until it is whole it is called path.part
  uint64_t bytes = 0;  // 0: not known, then at most max_bytes
  std::string sha256;  // hex: all 64 digits, or as many of the first as are known
  uint64_t max_bytes = uint64_t{4} << 30;
  Patience patience = {};
  std::string otherwise;          // what else there is to do where the network fails, for messages
  const char* libcurl = nullptr;  // another file than the system's, for tests
  // Asked all the time; `total` is 0 while it is not known. False: stop, and keep the part.
  std::function<bool(uint64_t done, uint64_t total)> go_on;
};

enum class Source { kNetwork, kCache };

// kCache: the file was there already, and right. NotFound: no libcurl, with what to do instead.
// Io, NoSpace, Cancelled: what has arrived is kept, and the next call goes on from there.
// ChecksumMismatch, LimitExceeded, FormatUnsupported (an address that is not to be trusted): it is
// not. Busy: another process is at it.
Result<Source> download(const Download& request);

}  // namespace penult::fetch
