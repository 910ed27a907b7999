#pragma once

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

namespace retia {

/// Sets the number of LibTorch's threads, and puts it back.
class Threads {
 public:
  explicit Threads(int n) : was_(at::get_num_threads()) { at::set_num_threads(n); }
  ~Threads() { at::set_num_threads(was_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int was_;
};

/// Asserts that 2, 3 and 5 threads give the bits of one. results: makes a list of tensors.
template <class Results>
void expect_same_bits_on_any_threads(const Results& results) {
  const auto on = [&](int n) {
    const Threads threads(n);
    return results();
  };
  const auto one = on(1);
  for (const int n : {2, 3, 5}) {
    const auto several = on(n);
    ASSERT_EQ(several.size(), one.size());
    for (size_t i = 0; i < one.size(); ++i) {
      EXPECT_TRUE(!one[i].defined() || at::equal(one[i], several[i]))
          << "result " << i << " on " << n << " threads";
    }
  }
}

}  // namespace retia
