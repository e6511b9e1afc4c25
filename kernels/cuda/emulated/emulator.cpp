#include "kernels/cuda/emulated/emulator.h"

#include <dlfcn.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <utility>

#include "kernels/cuda/emulated/block_runner.h"
#include "kernels/cuda/emulated/faults.h"
#include "kernels/cuda/emulated/streams.h"

namespace penult::gpu::emulated {
namespace {

constexpr size_t kMaxMessages = 16;
constexpr unsigned kMaxBlockZ = 64, kMaxGridX = 0x7fffffff, kMaxGridYZ = 65535;

struct State {
  std::mutex mutex;
  Options options;
  Reports reports;
};

State& state() {
  static auto* state = new State;  // never destroyed, like the checker
  return *state;
}

bool is_valid(Dim3 grid, Dim3 block, size_t shared_bytes) {
  const auto within = [](unsigned x, unsigned max) { return x > 0 && x <= max; };
  return within(grid.x, kMaxGridX) && within(grid.y, kMaxGridYZ) && within(grid.z, kMaxGridYZ) &&
         within(block.x, kMaxThreads) && within(block.y, kMaxThreads) &&
         within(block.z, kMaxBlockZ) && block.x * block.y * block.z <= kMaxThreads &&
         block.x * block.y * block.z % kWarp == 0 && shared_bytes <= SharedMemory::kMaxBytes;
}

Error execute(Dim3 grid, Dim3 block, size_t shared_bytes, const std::function<void()>& body) {
  try {
    // Not the object itself: it is larger than what a module that is loaded late gets of such
    // memory.
    static thread_local std::unique_ptr<BlockRunner> runner;
    if (runner == nullptr) runner = std::make_unique<BlockRunner>();
    const Options now = options();
    std::unique_lock<std::mutex> alone;
    Checker* checker = nullptr;
    if (now.check) {
      checker = &Checker::instance();
      alone = std::unique_lock(checker->mutex());
    }
    return runner->run({grid, block, shared_bytes, body, now, checker});
  } catch (const std::bad_alloc&) {
    return kOutOfMemory;
  }
}

}  // namespace

Error run(Dim3 grid, Dim3 block, size_t shared_bytes, Stream stream, std::function<void()> body) {
  if (const Error error = begin_call(Call::kLaunch, stream)) return error;
  if (!is_valid(grid, block, shared_bytes)) return kInvalidConfiguration;
  return give(stream, [grid, block, shared_bytes, body = std::move(body)] {
    return execute(grid, block, shared_bytes, body);
  });
}

void set_options(const Options& options) {
  const std::lock_guard lock(state().mutex);
  state().options = options;
}

Options options() {
  const std::lock_guard lock(state().mutex);
  return state().options;
}

std::string_view kind_name(Kind kind) {
  static constexpr std::string_view kNames[kKinds] = {
      "race",          "read of what nobody wrote",
      "out of bounds", "access to a copy under way",
      "divergence",    "misaligned",
  };
  return kNames[static_cast<size_t>(kind)];
}

int64_t Reports::total() const { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

Reports take_reports() {
  const std::lock_guard lock(state().mutex);
  return std::exchange(state().reports, {});
}

void add_report(Kind kind, const std::string& text) {
  const std::lock_guard lock(state().mutex);
  Reports& reports = state().reports;
  ++reports.counts[static_cast<size_t>(kind)];
  if (reports.messages.size() < kMaxMessages)
    reports.messages.push_back(std::string(kind_name(kind)) + ": " + text);
}

std::string first_message() {
  const std::lock_guard lock(state().mutex);
  const auto& messages = state().reports.messages;
  return messages.empty() ? "" : messages.front();
}

std::string place(const void* pc) {
  Dl_info info;
  char offset[32];
  if (dladdr(pc, &info) == 0 || info.dli_fname == nullptr) {
    std::snprintf(offset, sizeof(offset), "%p", pc);
    return offset;
  }
  std::snprintf(
      offset, sizeof(offset), "+0x%zx",
      static_cast<size_t>(static_cast<const char*>(pc) - static_cast<const char*>(info.dli_fbase)));
  const std::string_view path = info.dli_fname;
  return std::string(path.substr(path.rfind('/') + 1)) + offset;
}

}  // namespace penult::gpu::emulated
