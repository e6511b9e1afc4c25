#include "tools/penult/signals.h"

#include <csignal>

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
  std::signal(SIGPIPE, SIG_IGN);
  // Beyond the file-size limit a write fails with EFBIG, as it does on a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
}

int pending_signal() { return pending; }

Status check_signals() {
  if (pending == 0) return {};
  return {StatusCode::kCancelled, pending == SIGTERM ? "stopped by SIGTERM; nothing was written"
                                                     : "interrupted; nothing was written"};
}

}  // namespace penult::program
