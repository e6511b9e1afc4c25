#include "tools/penult/signals.h"

#include <csignal>

#include "engine/base/text.h"

namespace penult::program {
namespace {

volatile std::sig_atomic_t pending = 0;

void note(int signal) { pending = signal; }

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // Unless it is ignored, as nohup wants it.
  struct sigaction before {};
  if (::sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {
    ::sigaction(SIGHUP, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
  // Beyond the file-size limit a write fails with EFBIG, as it does on a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
}

int pending_signal() { return pending; }

Status check_signals() {
  if (pending == 0) return {};
  const char* const what = pending == SIGTERM  ? "stopped by SIGTERM"
                           : pending == SIGHUP ? "stopped by SIGHUP"
                                               : "interrupted";
  return {StatusCode::kCancelled, concat(what, "; nothing was written")};
}

}  // namespace penult::program
