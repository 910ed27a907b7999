#include "retia/engine/distributed/bounded_store.h"

#include <gmock/gmock.h>

#include <chrono>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using Bytes = std::vector<uint8_t>;
using testing::ElementsAre;
using testing::HasSubstr;

/// A store that does not answer while `answers` is locked.
class SilentStore final : public c10d::Store {
 public:
  explicit SilentStore(std::mutex& answers) : answers_(answers) {}
  c10::intrusive_ptr<Store> clone() override { return silent<c10::intrusive_ptr<Store>>(); }
  void set(const std::string&, const Bytes&) override { silent<int>(); }
  Bytes compareSet(const std::string&, const Bytes&, const Bytes&) override {
    return silent<Bytes>();
  }
  Bytes get(const std::string&) override { return silent<Bytes>(); }
  int64_t add(const std::string&, int64_t) override { return silent<int64_t>(); }
  bool deleteKey(const std::string&) override { return silent<bool>(); }
  bool check(const std::vector<std::string>&) override { return silent<bool>(); }
  int64_t getNumKeys() override { return silent<int64_t>(); }
  void wait(const std::vector<std::string>&) override { silent<int>(); }
  void wait(const std::vector<std::string>&, const std::chrono::milliseconds&) override {
    silent<int>();
  }

 private:
  template <class Result>
  Result silent() {
    const std::lock_guard<std::mutex> waits(answers_);
    return Result{};
  }
  std::mutex& answers_;
};

TEST(BoundedStore, PassesCallsOn) {
  BoundedStore store(c10::make_intrusive<c10d::HashStore>(), 30, "rank 0");
  store.set("a", Bytes{1, 2});
  EXPECT_THAT(store.get("a"), ElementsAre(1, 2));
  EXPECT_THAT(store.compareSet("a", Bytes{1, 2}, Bytes{3}), ElementsAre(3));
  EXPECT_EQ(store.add("n", 4), 4);
  EXPECT_TRUE(store.check({"a"}));
  EXPECT_FALSE(store.check({"b"}));
  store.wait({"a"});
  store.append("a", Bytes{5});
  EXPECT_THAT(store.multiGet({"a"}), ElementsAre(ElementsAre(3, 5)));
  store.multiSet({"c"}, {Bytes{6}});
  EXPECT_EQ(store.getNumKeys(), 3);
  EXPECT_TRUE(store.deleteKey("c"));
  EXPECT_TRUE(store.hasExtendedApi());
  EXPECT_NE(error_of([&] { store.wait({"b"}, std::chrono::milliseconds(10)); }), "(no error)");
}

TEST(BoundedStore, NamesWhoKeepsAStoreThatDoesNotAnswer) {
  static std::mutex answers;  // outlives the threads that are left behind
  const std::lock_guard<std::mutex> nobody(answers);
  BoundedStore store(c10::make_intrusive<SilentStore>(answers), 0.02, "rank 0");
  store.setTimeout(std::chrono::milliseconds(10));
  const std::vector<std::function<void()>> calls = {
      [&] { store.clone(); },
      [&] { store.set("a", Bytes{}); },
      [&] { store.compareSet("a", Bytes{}, Bytes{}); },
      [&] { store.get("a"); },
      [&] { store.add("a", 1); },
      [&] { store.deleteKey("a"); },
      [&] { store.check({"a"}); },
      [&] { store.getNumKeys(); },
      [&] { store.wait({"a"}); },
      [&] { store.wait({"a"}, std::chrono::milliseconds(10)); }};
  for (const auto& call : calls) {
    EXPECT_THAT(error_of(call), HasSubstr("rank 0 does not answer for 0.0"));
  }
}

}  // namespace
}  // namespace retia
