#include "tools/penult/streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace penult::program {

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

Status flush_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
  return {StatusCode::kIo, "cannot write to standard output: closed, or no space left"};
}

}  // namespace penult::program
