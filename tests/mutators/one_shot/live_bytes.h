#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace retia {

/// While it lives, counts the bytes that tensors hold on the CPU. One at a time.
class LiveBytes final : public c10::Allocator {
 public:
  LiveBytes() : below_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, kPriority); }
  ~LiveBytes() override { c10::SetCPUAllocator(below_, kPriority); }

  c10::DataPtr allocate(size_t n) override {
    auto block =
        std::make_unique<Block>(Block{below_->allocate(n), static_cast<int64_t>(n), count_});
    *count_ += block->bytes;
    void* const data = block->data.get();
    return {data, block.release(), &free_block, at::kCPU};
  }
  void copy_data(void* to, const void* from, std::size_t n) const override {
    default_copy_data(to, from, n);
  }

  int64_t now() const { return *count_; }

 private:
  // Blocks may outlive the counter.
  struct Block {
    c10::DataPtr data;
    int64_t bytes;
    std::shared_ptr<int64_t> count;
  };
  static void free_block(void* context) {
    const std::unique_ptr<Block> block(static_cast<Block*>(context));
    *block->count -= block->bytes;
  }

  static constexpr uint8_t kPriority = 255;
  c10::Allocator* below_;
  std::shared_ptr<int64_t> count_ = std::make_shared<int64_t>(0);
};

}  // namespace retia
