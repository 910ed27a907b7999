#include "retia/engine/base/stopwatch.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <ctime>

#include "retia/engine/base/clock.h"

namespace retia {
namespace {

constexpr int64_t kSweptBytes = int64_t{1} << 28;  // the largest caches of GPUs hold half of it

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

void finish_work(at::Device device) {
  if (!device.is_cpu()) {
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  }
}

Stopwatch::Stopwatch(at::Device device) : device_(device) {
  if (!device.is_cpu()) {
    swept_ = at::empty({kSweptBytes}, at::TensorOptions(device).dtype(at::kByte));
  }
}

double Stopwatch::seconds_of(const std::function<void()>& work) {
  if (device_.is_cpu()) {
    // Time of the processor, which others do not take from, would be that of all threads together.
    const auto clock = at::get_num_threads() == 1 ? &processor_seconds : &now;
    const double started = clock();
    work();
    return clock() - started;
  }
  swept_.zero_();
  const c10::Stream stream = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
  c10::Event start(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
  c10::Event end(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
  start.record(stream);
  work();
  end.record(stream);
  end.synchronize();
  return 1e-3 * start.elapsedTime(end);
}

}  // namespace retia
