#pragma once

#include <string>

#include "tools/fetch/curl_library.h"
#include "tools/fetch/download.h"
#include "tools/fetch/part_file.h"

namespace penult::fetch {

// How one attempt ended.
struct Attempt {
  enum class Next { kCheck, kRetry, kStop };
  Next next = Next::kCheck;  // kCheck: all bytes have arrived, or what the server takes for all
  Status status = {};        // why, unless kCheck
  double wait_s = 0;         // what the server asked for
  bool by_network = false;   // the connection or the server is to blame, not this machine's disk
};

// Asks for what the part lacks, following redirections, and appends it.
Attempt attempt(const Curl& curl, const Download& request, PartFile& part);

}  // namespace penult::fetch
