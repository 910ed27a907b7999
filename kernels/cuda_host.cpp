#include "retia/kernels/cuda_host.h"

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace retia::kernels::cuda::host {
namespace {

constexpr size_t kStackBytes = 256 << 10;

/// Opens when all who share it have arrived, and is closed again then.
struct Barrier {
  int members = 0, arrived = 0, openings = 0;
};

/// What the address sanitizer must be told before and after each change of stacks.
struct Stack {
  const void* bottom = nullptr;
  size_t size = 0;
  void* shadow = nullptr;

  void leave_for([[maybe_unused]] const Stack& other, [[maybe_unused]] bool for_good) {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(for_good ? nullptr : &shadow, other.bottom, other.size);
#endif
  }
  void come_back([[maybe_unused]] Stack* from) {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(shadow, from == nullptr ? nullptr : &from->bottom,
                                    from == nullptr ? nullptr : &from->size);
#endif
  }
};

struct Fibre {
  ucontext_t context;
  std::unique_ptr<std::byte[]> memory;
  Stack stack;
  dim3 index;
  Barrier* waits_at = nullptr;
  int openings_seen = 0;
  bool ended = false;

  bool can_run() const {
    return !ended && (waits_at == nullptr || waits_at->openings != openings_seen);
  }
};

class Grid;
Grid* running = nullptr;
std::optional<std::mt19937_64> shuffling;

/// A launch: its fibres serve one block after another.
class Grid {
 public:
  Grid(const std::function<void()>& kernel, dim3 threads, size_t shared_bytes)
      : kernel_(kernel),
        n_threads_(threads.x * threads.y * threads.z),
        fibres_(n_threads_),
        order_(n_threads_),
        warps_((n_threads_ + kLanes - 1) / kLanes),
        slots_(n_threads_),
        shared_bytes_(shared_bytes),
        shared_(new (std::align_val_t{16}) std::byte[std::max<size_t>(shared_bytes, 1)]) {
    for (unsigned i = 0; i < n_threads_; ++i) {
      Fibre& fibre = fibres_[i];
      fibre.memory.reset(new std::byte[kStackBytes]);
      fibre.stack = {fibre.memory.get(), kStackBytes, nullptr};
      fibre.index = {i % threads.x, i / threads.x % threads.y, i / (threads.x * threads.y)};
      ++warps_[i / kLanes].members;
    }
    block_.members = static_cast<int>(n_threads_);
    std::iota(order_.begin(), order_.end(), 0U);
  }

  ~Grid() { ::operator delete[](shared_, std::align_val_t{16}); }
  Grid(const Grid&) = delete;
  Grid& operator=(const Grid&) = delete;

  void run_block() {
    std::memset(shared_, 0xff, shared_bytes_);
    for (Fibre& fibre : fibres_) {
      start(fibre);
    }
    for (unsigned n_ended = 0; n_ended < n_threads_;) {
      if (shuffling) {
        std::shuffle(order_.begin(), order_.end(), *shuffling);
      }
      bool moved = false;
      for (const unsigned i : order_) {
        if (fibres_[i].can_run()) {
          resume(i);
          moved = true;
          n_ended += fibres_[i].ended ? 1 : 0;
        }
      }
      if (!moved) {
        throw std::logic_error("a barrier is waited at, but " + std::to_string(n_ended) + " of " +
                               std::to_string(n_threads_) +
                               " threads ended or wait at another: all must reach it");
      }
    }
  }

  void wait_at(Barrier& barrier) {
    if (++barrier.arrived == barrier.members) {
      barrier.arrived = 0;
      ++barrier.openings;
      return;
    }
    Fibre& fibre = fibres_[current_];
    fibre.waits_at = &barrier;
    fibre.openings_seen = barrier.openings;
    suspend(false);
    fibre.waits_at = nullptr;
  }

  Barrier& block() { return block_; }
  Barrier& warp() { return warps_[current_ / kLanes]; }
  void* shared() { return shared_; }
  int lane() const { return static_cast<int>(current_ % kLanes); }
  void* slot(int lane) {
    return slots_.at(current_ / kLanes * kLanes + static_cast<unsigned>(lane)).data();
  }

 private:
  void start(Fibre& fibre) {
    fibre.ended = false;
    fibre.waits_at = nullptr;
    fibre.stack.shadow = nullptr;
    getcontext(&fibre.context);
    fibre.context.uc_stack.ss_sp = fibre.memory.get();
    fibre.context.uc_stack.ss_size = kStackBytes;
    fibre.context.uc_link = nullptr;
    makecontext(
        &fibre.context, [] { running->run_current(); }, 0);
  }

  void resume(unsigned i) {
    current_ = i;
    threadIdx = fibres_[i].index;
    host_stack_.leave_for(fibres_[i].stack, false);
    swapcontext(&host_, &fibres_[i].context);
    host_stack_.come_back(nullptr);
    if (thrown_) {
      std::rethrow_exception(std::exchange(thrown_, nullptr));
    }
  }

  void suspend(bool for_good) {
    Fibre& fibre = fibres_[current_];
    fibre.stack.leave_for(host_stack_, for_good);
    swapcontext(&fibre.context, &host_);
    fibre.stack.come_back(&host_stack_);
  }

  void run_current() {
    Fibre& fibre = fibres_[current_];
    fibre.stack.come_back(&host_stack_);
    try {
      kernel_();
    } catch (...) {
      thrown_ = std::current_exception();
    }
    fibre.ended = true;
    suspend(true);
  }

  const std::function<void()>& kernel_;
  const unsigned n_threads_;
  std::vector<Fibre> fibres_;
  std::vector<unsigned> order_;
  Barrier block_;
  std::vector<Barrier> warps_;
  std::vector<std::array<std::byte, 8>> slots_;
  const size_t shared_bytes_;
  std::byte* const shared_;
  ucontext_t host_;
  Stack host_stack_;
  unsigned current_ = 0;
  std::exception_ptr thrown_;
};

}  // namespace

void run_grid(const std::function<void()>& kernel, dim3 blocks, dim3 threads, size_t shared_bytes) {
  Grid grid(kernel, threads, shared_bytes);
  running = &grid;
  gridDim = blocks;
  blockDim = threads;
  for (unsigned z = 0; z < blocks.z; ++z) {
    for (unsigned y = 0; y < blocks.y; ++y) {
      for (unsigned x = 0; x < blocks.x; ++x) {
        blockIdx = {x, y, z};
        grid.run_block();
      }
    }
  }
}

void* dynamic_shared() { return running->shared(); }
void wait_for_block() { running->wait_at(running->block()); }
void wait_for_warp() { running->wait_at(running->warp()); }
void* slot_of(int lane) { return running->slot(lane); }
int own_lane() { return running->lane(); }

ShuffledThreads::ShuffledThreads(uint64_t seed) { shuffling.emplace(seed); }
ShuffledThreads::~ShuffledThreads() { shuffling.reset(); }

}  // namespace retia::kernels::cuda::host
