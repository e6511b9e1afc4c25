#include "tools/fetch/download.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "tools/fetch/curl_library.h"
#include "tools/fetch/part_file.h"
#include "tools/fetch/transfer.h"

namespace penult::fetch {
namespace {

// False: not there, or not the file that is wanted.
Result<bool> is_there(const Download& request) {
  const auto digest = sha256_of_file(request.path);
  if (digest.ok()) return digest->starts_with(request.sha256);
  if (digest.status().code() == StatusCode::kNotFound) return false;
  return digest.status();
}

// What was asked for, or false if it is worth to start over.
Result<bool> check(const Download& request, PartFile& part, bool resumed) {
  PENULT_ASSIGN_OR_RETURN(const std::string digest, part.sha256());
  if (digest.starts_with(request.sha256)) {
    PENULT_RETURN_IF_ERROR(part.finish());
    return true;
  }
  if (resumed) {
    PENULT_RETURN_IF_ERROR(part.restart());
    return false;
  }
  const uint64_t bytes = part.size();
  part.discard();
  const bool whole = request.sha256.size() == digest.size();
  return Status(StatusCode::kChecksumMismatch,
                concat(quote(request.url), ": got ", bytes, " bytes of SHA-256 ", digest,
                       ", expected ", request.sha256, whole ? "" : "...",
                       "; it was not kept: changed on its way, or published anew"));
}

bool wait(const Download& request, double seconds, const PartFile& part) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    if (request.go_on && !request.go_on(part.size(), request.bytes)) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

// How it ends where nothing more is tried.
Status give_up(const Status& why, PartFile& part) {
  const StatusCode code = why.code();
  const bool resumable =
      code == StatusCode::kIo || code == StatusCode::kNoSpace || code == StatusCode::kCancelled;
  if (!resumable || part.size() == 0) {
    part.discard();
    return why;
  }
  return {code, concat(why.message(), "; ", part.size(), " bytes are kept in ", quote(part.path()),
                       ", the same command goes on from there")};
}

Status fetch(const Curl& curl, const Download& request, PartFile& part, bool started_over) {
  const Patience& patience = request.patience;
  double pause = patience.first_pause_s;
  for (int tries = 1;; ++tries) {
    const bool resumed = part.size() > 0;
    const Attempt ended = attempt(curl, request, part);
    if (ended.next == Attempt::Next::kStop) return give_up(ended.status, part);
    if (ended.next == Attempt::Next::kCheck) {
      PENULT_ASSIGN_OR_RETURN(const bool right, check(request, part, resumed && !started_over));
      if (right) return {};
      started_over = true;
      continue;
    }
    if (tries >= patience.tries) return give_up(ended.status, part);
    const double seconds = std::min(std::max(pause, ended.wait_s), patience.longest_pause_s);
    if (!wait(request, seconds, part)) {
      return give_up({StatusCode::kCancelled, concat(quote(request.url), ": interrupted")}, part);
    }
    pause *= 2;
  }
}

}  // namespace

Result<Source> download(const Download& request) {
  PENULT_ASSIGN_OR_RETURN(const bool there, is_there(request));
  if (there) return Source::kCache;
  PENULT_ASSIGN_OR_RETURN(PartFile part, PartFile::open(request.path));
  bool started_over = false;
  if (request.bytes != 0 && part.size() > request.bytes) PENULT_RETURN_IF_ERROR(part.restart());
  if (request.bytes != 0 && part.size() == request.bytes) {  // ended between the last byte and here
    PENULT_ASSIGN_OR_RETURN(const bool right, check(request, part, true));
    if (right) return Source::kNetwork;
    started_over = true;
  }
  const auto curl = open_curl(request.libcurl != nullptr ? request.libcurl : kCurlFile);
  if (!curl.ok()) return give_up(curl.status(), part);
  PENULT_RETURN_IF_ERROR(fetch(*curl, request, part, started_over));
  return Source::kNetwork;
}

}  // namespace penult::fetch
