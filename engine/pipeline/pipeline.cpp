#include "engine/pipeline/pipeline.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/pipeline/memory_budget.h"
#include "engine/pipeline/schedule.h"

namespace penult {
namespace {

constexpr uint64_t kFileBytes = uint64_t{256} << 20;
constexpr uint64_t kDecodeBytes = uint64_t{256} << 20;
// A decoded pixel, and as much again for what a decoder needs besides (a turned copy, the
// coefficients of a progressive JPEG).
constexpr uint64_t kBytesPerPixel = 6;

using Clock = std::chrono::steady_clock;

// Adds the time of its life to a stage.
class StageTimer {
 public:
  StageTimer(PipelineSeconds& seconds, PipelineStage stage)
      : seconds_(seconds[static_cast<size_t>(stage)]), begin_(Clock::now()) {}
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;
  ~StageTimer() { seconds_ += std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  double& seconds_;
  Clock::time_point begin_;
};

// What one run of the net at a time needs.
struct Net {
  Extractor* extractor = nullptr;
  std::unique_ptr<Extractor> shared = {};  // what `extractor` is, but for the first net
  std::vector<uint8_t> images = {};        // of one run
};

// What one thread has of its own.
struct Worker {
  Net* net = nullptr;  // or all share the only one
  CropScratch crop_scratch = {};
  PipelineSeconds seconds = {};  // of the piece of work in hand
  PipelineSeconds so_far = {};   // of all workers, when it began
};

class Pipeline {
 public:
  // `nets`: 1, or as many as workers.
  Pipeline(size_t inputs, int workers, int64_t images_in_run, int nets,
           const Preprocess& preprocess, const DecodeOptions& decode, PipelineClient& client)
      : preprocess_(preprocess),
        decode_(decode),
        client_(client),
        inputs_(inputs),
        schedule_(inputs, workers, images_in_run, nets),
        nets_(nets),
        workers_(workers),
        slots_(schedule_.slots()) {
    for (auto& slot : slots_) slot.resize(size_t{3} * preprocess.crop_h * preprocess.crop_w);
  }

  Result<PipelineSeconds> run(Extractor& extractor);

 private:
  void work(Worker& worker);
  // Does what the task says and tells the schedule; the lock is released meanwhile.
  void perform(Worker& worker, const PipelineTask& task, std::unique_lock<std::mutex>& lock);
  Status guarded(Worker& worker, const PipelineTask& task);
  Status share_nets(Extractor& extractor);
  Status load(Worker& worker, const PipelineItem& item);
  Status run_net(Worker& worker, PipelineBatch& batch);
  Status write(Worker& worker, PipelineBatch& batch);

  const Preprocess& preprocess_;
  const DecodeOptions& decode_;
  PipelineClient& client_;
  const size_t inputs_;
  // Whoever holds pixels has its file, so that waiting for the one while holding the other ends.
  MemoryBudget file_budget_{kFileBytes}, pixel_budget_{kDecodeBytes};

  std::mutex mutex_;  // of all below but what a task owns: its slots, its batch, its worker
  std::condition_variable changed_;
  PipelineSchedule schedule_;
  PipelineSeconds seconds_ = {};
  std::vector<Net> nets_;  // of the worker that runs it
  std::vector<Worker> workers_;
  std::vector<std::vector<uint8_t>> slots_;  // (crop_h, crop_w, 3) each, ready for the net
};

Status Pipeline::load(Worker& worker, const PipelineItem& item) {
  const std::string& path = client_.path(item.input);
  MemoryShare file_share(file_budget_), pixel_share(pixel_budget_);
  std::vector<uint8_t> bytes;
  {
    const StageTimer timer(worker.seconds, PipelineStage::kRead);
    const size_t soon = item.input + slots_.size();
    if (soon < inputs_) prefetch_file(client_.path(soon));
    PENULT_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
    file_share.take(file.size());
    PENULT_ASSIGN_OR_RETURN(bytes, read_image_file(file));
  }
  DecodeOptions options = decode_;
  options.before_pixels = [&](uint64_t pixels) { pixel_share.take(kBytesPerPixel * pixels); };
  Image image;
  {
    const StageTimer timer(worker.seconds, PipelineStage::kDecode);
    PENULT_ASSIGN_OR_RETURN(image, decode_image_file(path, bytes, options));
  }
  const StageTimer timer(worker.seconds, PipelineStage::kResize);
  return resize_and_crop(image, preprocess_, slots_[item.slot], worker.crop_scratch);
}

Status Pipeline::run_net(Worker& worker, PipelineBatch& batch) {
  const StageTimer timer(worker.seconds, PipelineStage::kNet);
  Net& net = *worker.net;
  Extractor& extractor = *net.extractor;
  const int64_t elems = 3 * extractor.input_h() * extractor.input_w();
  net.images.clear();
  net.images.reserve(batch.rows * elems);
  for (const PipelineItem& item : batch.items) {
    if (item.slot < 0) continue;
    const std::vector<uint8_t>& crop = slots_[item.slot];
    net.images.insert(net.images.end(), crop.begin(), crop.end());
  }
  std::vector<std::span<float>> places;
  for (const OutputInfo& output : extractor.outputs()) {
    batch.features.emplace_back(batch.rows * output.elems);
    places.push_back(batch.features.back());
  }
  return extractor.run_rgb8(net.images, batch.rows, places);
}

Status Pipeline::write(Worker& worker, PipelineBatch& batch) {
  const StageTimer timer(worker.seconds, PipelineStage::kWrite);
  std::vector<size_t> inputs;
  for (const PipelineItem& item : batch.items) {
    if (item.status.ok()) {
      inputs.push_back(item.input);
    } else {
      PENULT_RETURN_IF_ERROR(client_.failed(item.input, item.status));
    }
  }
  if (inputs.empty()) return {};
  const std::vector<std::span<float>> features(batch.features.begin(), batch.features.end());
  return client_.rows(inputs, features, worker.so_far);
}

// Memory that runs out ends the pipeline and not the process.
Status Pipeline::guarded(Worker& worker, const PipelineTask& task) {
  try {
    PENULT_RETURN_IF_ERROR(client_.check());
    switch (task.kind) {
      case PipelineTask::Kind::kLoad:
        return load(worker, *task.item);
      case PipelineTask::Kind::kRun:
        return run_net(worker, *task.batch);
      default:
        return write(worker, *task.batch);
    }
  } catch (const std::bad_alloc&) {
    return {StatusCode::kOutOfMemory, "memory ran out"};
  }
}

void Pipeline::perform(Worker& worker, const PipelineTask& task,
                       std::unique_lock<std::mutex>& lock) {
  using Kind = PipelineTask::Kind;
  worker.so_far = seconds_;
  lock.unlock();
  Status status = guarded(worker, task);
  lock.lock();
  for (size_t i = 0; i < seconds_.size(); ++i) seconds_[i] += std::exchange(worker.seconds[i], 0);
  const StatusCode code = status.code();
  const bool ends = code == StatusCode::kOutOfMemory || code == StatusCode::kCancelled;
  if (task.kind == Kind::kLoad) {
    if (ends) schedule_.stop(status);
    schedule_.loaded(*task.item, std::move(status));
  } else if (task.kind == Kind::kRun) {
    schedule_.release_slots(*task.batch);
    schedule_.ran(*task.batch, std::move(status));
  } else {
    schedule_.wrote(std::move(status));
  }
  changed_.notify_all();
}

void Pipeline::work(Worker& worker) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const PipelineTask task = schedule_.next();
    if (task.kind == PipelineTask::Kind::kFinished) return;
    if (task.kind == PipelineTask::Kind::kWait) {
      changed_.wait(lock);
    } else {
      perform(worker, task, lock);
    }
  }
}

Status Pipeline::share_nets(Extractor& extractor) {
  nets_[0].extractor = &extractor;
  for (size_t i = 1; i < nets_.size(); ++i) {
    PENULT_ASSIGN_OR_RETURN(nets_[i].shared, extractor.share());
    nets_[i].extractor = nets_[i].shared.get();
  }
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i].net = &nets_[i % nets_.size()];
  return {};
}

Result<PipelineSeconds> Pipeline::run(Extractor& extractor) {
  PENULT_RETURN_IF_ERROR(share_nets(extractor));
  std::vector<std::jthread> threads;  // joined at the end, whatever happens
  try {
    for (size_t i = 1; i < workers_.size(); ++i) {
      threads.emplace_back([this, i] { work(workers_[i]); });
    }
  } catch (const std::system_error&) {
    // The system grants no more threads: those that there are do the work.
  }
  work(workers_[0]);
  threads.clear();
  PENULT_RETURN_IF_ERROR(schedule_.status());
  return seconds_;
}

}  // namespace

PipelineShape pipeline_shape(size_t inputs, int threads, int64_t batch) {
  const auto most = static_cast<int64_t>(std::max<size_t>(inputs, 1));
  PipelineShape shape;
  shape.workers = static_cast<int>(std::min<int64_t>(threads, most));
  shape.net_threads = threads / shape.workers;
  shape.batch = std::min(batch, most);
  shape.images_in_run = (shape.batch + shape.workers - 1) / shape.workers;
  return shape;
}

Result<PipelineSeconds> run_pipeline(size_t inputs, const PipelineShape& shape,
                                     Extractor& extractor, const Preprocess& preprocess,
                                     const DecodeOptions& decode, PipelineClient& client) {
  const bool on_cpu = extractor.device() == "cpu";
  if (!on_cpu) {
    PENULT_RETURN_IF_ERROR(
        extractor.reshape(extractor.input_h(), extractor.input_w(), shape.batch));
  }
  const int64_t images = on_cpu ? shape.images_in_run : shape.batch;
  const int nets = on_cpu ? shape.workers : 1;
  return Pipeline(inputs, shape.workers, images, nets, preprocess, decode, client).run(extractor);
}

}  // namespace penult
