#pragma once

#include "penult/status.h"

namespace penult::program {

// SIGINT, SIGTERM and SIGHUP are noted and acted upon between two steps of work, so that nothing is
// left half written; a second one ends the process at once. SIGPIPE becomes a failed write.
void install_signal_handlers();

int pending_signal();    // 0, or the signal that asks to stop
Status check_signals();  // Cancelled once a signal has come

}  // namespace penult::program
