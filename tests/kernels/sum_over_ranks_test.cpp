#include "retia/kernels/sum_over_ranks.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <memory>
#include <set>
#include <thread>
#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <vector>

#include "retia/tests/error_of.h"

namespace retia::kernels {
namespace {

using testing::HasSubstr;

/// Stands for `n` ranks with the same numbers.
class Equals final : public SumOverRanks {
 public:
  explicit Equals(int64_t n) : n_(n) {}
  void sum_statistics(const at::Tensor& tensor) override { tensor.mul_(n_); }

 private:
  const int64_t n_;
};

/// A process group of `size` ranks with the same numbers.
class EqualsOfPython final : public c10d::ProcessGroup {
 public:
  explicit EqualsOfPython(int size) : c10d::ProcessGroup(0, size) {}

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions&) override {
    for (at::Tensor& tensor : tensors) {
      tensor.mul_(getSize());
    }
    return c10::make_intrusive<Ended>();
  }

 private:
  class Ended final : public c10d::Work {
   public:
    Ended() { finish(); }
  };
};

double sum_of_ones(SumOverRanks& ranks) {
  const at::Tensor one = at::full({1}, 1.0, at::kDouble);
  ranks.sum_statistics(one);
  return one.item<double>();
}

TEST(SumOverRanks, IsFoundByItsNameWhileItLives) {
  std::string of_first;
  {
    Equals first(2), second(3);
    of_first = first.group();
    EXPECT_NE(of_first, second.group());
    EXPECT_EQ(ranks_of(first.group()).get(), &first);
    EXPECT_EQ(ranks_of(second.group()).get(), &second);
    EXPECT_EQ(sum_of_ones(*ranks_of(second.group())), 3);
  }
  EXPECT_THAT(error_of([&] { ranks_of(of_first); }),
              HasSubstr("no process group is named '" + of_first + "'"));
  EXPECT_NE(Equals(4).group(), of_first) << "names are never given twice";
}

TEST(SumOverRanks, IsNobodyForTheEmptyName) { EXPECT_EQ(ranks_of(""), nullptr); }

TEST(SumOverRanks, IsAProcessGroupOfTorchByItsName) {
  c10::intrusive_ptr<c10d::ProcessGroup> group = c10::make_intrusive<EqualsOfPython>(7);
  c10d::register_process_group("seven", group);
  const std::shared_ptr<SumOverRanks> ranks = ranks_of("seven");
  c10d::unregister_process_group("seven");
  group.reset();
  EXPECT_EQ(sum_of_ones(*ranks), 7) << "the group is kept";
  EXPECT_THAT(error_of([] { ranks_of("seven"); }), HasSubstr("give the group_name of one of"));
}

TEST(SumOverRanks, IsNamedFromManyThreadsAtOnce) {
  std::vector<std::vector<std::unique_ptr<Equals>>> made(4);
  std::vector<std::thread> threads;
  for (auto& of_thread : made) {
    threads.emplace_back([&of_thread] {
      for (int64_t i = 0; i < 100; ++i) {
        of_thread.push_back(std::make_unique<Equals>(i));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::set<std::string> names;
  for (const auto& of_thread : made) {
    for (const auto& ranks : of_thread) {
      names.insert(ranks->group());
      EXPECT_EQ(ranks_of(ranks->group()).get(), ranks.get());
    }
  }
  EXPECT_EQ(names.size(), 400u);
}

}  // namespace
}  // namespace retia::kernels
