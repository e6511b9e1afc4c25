#include "tools/penult/command.h"

namespace penult::program {

std::span<const Command> all_commands() {
  static constexpr Command kCommands[] = {
      {"convert", "Turn a weight file into a verified .penult model", declare_convert},
      {"inspect", "List a model's taps: shape, cost and names", declare_inspect},
      {"extract", "Turn images into features", declare_extract},
      {"bench", "Time a model on this machine", declare_bench},
      {"doctor", "Say what this machine offers, and why not the rest", declare_doctor},
  };
  return kCommands;
}

}  // namespace penult::program
