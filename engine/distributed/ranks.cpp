#include "retia/engine/distributed/ranks.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <c10/util/Logging.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "retia/engine/base/clock.h"
#include "retia/engine/base/device.h"
#include "retia/engine/distributed/bounded_store.h"
#include "retia/engine/distributed/pulse.h"
#include "retia/engine/distributed/within.h"

namespace retia {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr double kSecondsBetweenBeats = 1;
constexpr double kSecondsOfStore = 10;  // in which a store that is there answers, on a busy machine

Milliseconds milliseconds(double seconds) {
  return Milliseconds(std::max<int64_t>(static_cast<int64_t>(1000 * seconds), 1));
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

std::string keeper_of(const Launch& launch) {
  return launch.launcher_keeps_store ? "the launcher" : "rank 0";
}

c10::intrusive_ptr<c10d::Store> open_store(const Launch& launch, double timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(launch.port);
  options.isServer = launch.rank == 0 && !launch.launcher_keeps_store;
  options.waitWorkers = false;
  options.timeout = milliseconds(timeout);
  try {
    const double most = std::min(timeout, kSecondsOfStore);
    auto store = within(timeout + most, keeper_of(launch), [master = launch.master, options] {
      return c10::make_intrusive<c10d::TCPStore>(master, options);
    });
    auto bounded = c10::make_intrusive<BoundedStore>(std::move(store), most, keeper_of(launch));
    return c10::make_intrusive<c10d::PrefixStore>("retia/" + launch.attempt, std::move(bounded));
  } catch (const std::exception& error) {
    TORCH_CHECK(!options.isServer, "rank 0 cannot listen at port ", launch.port,
                " of its machine: set MASTER_PORT to a free one");
    TORCH_CHECK(false, "rank ", launch.rank, " of ", launch.size, " cannot reach rank 0 at ",
                launch.master, ":", launch.port, " within ", timeout,
                " s: is it running, are MASTER_ADDR and MASTER_PORT right, and does no other "
                "program listen there?");
  }
}

/// Waits until all ranks are there.
void meet_at(c10d::Store& store, const Launch& launch, double timeout) {
  const auto key = [](int64_t rank) { return "here/" + std::to_string(rank); };
  store.set(key(launch.rank), std::vector<uint8_t>{1});
  std::vector<std::string> all;
  for (int64_t r = 0; r < launch.size; ++r) {
    all.push_back(key(r));
  }
  std::string missing;
  try {
    store.wait(all, milliseconds(timeout));
    return;
  } catch (const std::exception&) {
    for (int64_t r = 0; r < launch.size; ++r) {
      if (!store.check({key(r)})) {
        missing += (missing.empty() ? "" : ", ") + std::to_string(r);
      }
    }
  }
  TORCH_CHECK(false, "rank ", missing, " of ", launch.size, " did not come within ", timeout,
              " s: start them all, or allow more time by --set run.timeout=SECONDS");
}

}  // namespace

struct Ranks::Group {
  c10::intrusive_ptr<c10d::Store> store;
  std::unique_ptr<Pulse> pulse;
  c10::intrusive_ptr<c10d::Backend> gloo, nccl;  // nccl: made when first needed

  /// Moves such tensors.
  c10d::Backend& backend(const at::Tensor& tensor, const Launch& launch, double timeout) {
    if (!tensor.is_cuda()) {
      return *gloo;
    }
    if (!nccl) {
      nccl = cuda_module().make_nccl_group(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                           static_cast<int>(launch.rank),
                                           static_cast<int>(launch.size), timeout);
    }
    return *nccl;
  }
};

Ranks::Ranks(const Launch& launch, double timeout) : launch_(launch), timeout_(timeout) {
  if (launch.size == 1) {
    return;
  }
  ::signal(SIGPIPE, SIG_IGN);  // else writing to a rank that is gone would kill, without a word
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) {
    FLAGS_caffe2_log_level = c10::GLOG_FATAL;  // what c10d would log comes as an error, in one line
  }
  TORCH_CHECK(timeout > 0, "run.timeout must be above 0 seconds, got ", timeout);
  group_ = std::make_unique<Group>();
  group_->store = open_store(launch, timeout);
  meet_at(*group_->store, launch, timeout);
  group_->pulse =
      std::make_unique<Pulse>(group_->store, launch.rank, launch.size,
                              std::min(kSecondsBetweenBeats, timeout / 4), keeper_of(launch));
  guarded([&] {
    using c10d::ProcessGroupGloo;
    auto options = ProcessGroupGloo::Options::create(milliseconds(timeout));
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
    options->devices.push_back(
        interface != nullptr         ? ProcessGroupGloo::createDeviceForInterface(interface)
        : is_loopback(launch.master) ? ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                     : ProcessGroupGloo::createDefaultDevice());
    group_->gloo = c10::make_intrusive<ProcessGroupGloo>(
        group_->store, static_cast<int>(launch.rank), static_cast<int>(launch.size), options);
  });
}

Ranks::~Ranks() {
  if (group_ && failure_.empty() && std::uncaught_exceptions() > 0) {
    try {
      group_->pulse->tell(c10::str("rank ", rank(), " of ", size(), " ended with an error"), [this] {
        group_->nccl.reset();
        group_->gloo.reset();
      });
    } catch (const std::exception&) {
      // Nobody is left to be told.
    }
  }
}

void Ranks::check() const { TORCH_CHECK(failure_.empty(), failure_); }

void Ranks::guarded(const std::function<void()>& call) {
  check();
  try {
    call();
  } catch (const std::exception& error) {
    const std::string what = error.what();
    failure_ = group_->pulse->diagnosis(what.substr(0, what.find('\n'))) +
               "; the last checkpoint stays (continue with --resume)";
  }
  check();
}

void Ranks::count_call(const at::Tensor& tensor, CallFor purpose) {
  group_->pulse->count_call();
  Traffic& traffic = traffic_[static_cast<size_t>(purpose)];
  ++traffic.calls;
  traffic.bytes += static_cast<int64_t>(tensor.nbytes());
}

void Ranks::wait(const std::function<void()>& call, CallFor purpose) {
  const double started = now();
  guarded(call);
  traffic_[static_cast<size_t>(purpose)].seconds += now() - started;
}

std::function<void()> Ranks::start_sum(const at::Tensor& tensor, CallFor purpose) {
  if (!group_) {
    return [] {};
  }
  c10::intrusive_ptr<c10d::Work> work;
  guarded([&] {
    TORCH_INTERNAL_ASSERT(tensor.is_contiguous());
    count_call(tensor, purpose);
    std::vector<at::Tensor> tensors = {tensor};
    work = group_->backend(tensor, launch_, timeout_).allreduce(tensors);
  });
  return [this, work, purpose] { wait([&] { work->wait(); }, purpose); };
}

void Ranks::broadcast(const at::Tensor& tensor) {
  if (!group_) {
    return;
  }
  const auto call = [&] {
    count_call(tensor, CallFor::Agreement);
    std::vector<at::Tensor> tensors = {tensor};
    group_->backend(tensor, launch_, timeout_).broadcast(tensors)->wait();
  };
  wait(call, CallFor::Agreement);
}

std::string Ranks::broadcast(const std::string& text) {
  const at::Tensor length = at::full({}, static_cast<int64_t>(text.size()), at::kLong);
  broadcast(length);
  const at::Tensor bytes = at::empty({length.item<int64_t>()}, at::kByte);
  if (is_first()) {
    std::memcpy(bytes.data_ptr(), text.data(), text.size());
  }
  if (bytes.numel() > 0) {
    broadcast(bytes);
  }
  const auto* first = bytes.const_data_ptr<uint8_t>();
  return {first, first + bytes.numel()};
}

at::Tensor Ranks::gather(const at::Tensor& mine) {
  if (!group_) {
    return mine.unsqueeze(0);
  }
  std::vector<std::vector<at::Tensor>> all(1);
  for (int64_t r = 0; r < size(); ++r) {
    all.front().push_back(at::empty_like(mine));
  }
  const auto call = [&] {
    count_call(mine, CallFor::Agreement);
    std::vector<at::Tensor> tensors = {mine};
    group_->backend(mine, launch_, timeout_).allgather(all, tensors)->wait();
  };
  wait(call, CallFor::Agreement);
  return at::stack(all.front());
}

bool Ranks::any(bool mine) {
  const at::Tensor flag = at::full({}, mine ? 1 : 0, at::kLong);
  sum(flag);
  return flag.item<int64_t>() > 0;
}

}  // namespace retia
