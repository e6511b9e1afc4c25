#include "tools/penult/streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace penult::program {
namespace {

// errno would not say it: what --help prints goes through iostreams.
bool reader_has_left() {
  pollfd out = {STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

void reserve_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    // The lowest free number is taken, which is `fd`. The wrong direction keeps the stream failing.
    static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
  }
}

void print_text(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
}

Outcome flush_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
  const Status lost(StatusCode::kIo, "cannot write to standard output: closed, or no space left");
  return reader_has_left() ? Outcome(kExitSigpipe, lost) : Outcome(lost);
}

}  // namespace penult::program
