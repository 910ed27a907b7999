#pragma once

#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

namespace retia {

/// A store whose every call ends: a call to a store on another machine waits without a limit where
/// that process is stopped, or where another program listens at its port. Each call runs in a thread
/// of its own, which is left behind where the call does not return in time.
class BoundedStore final : public c10d::Store {
 public:
  /// `seconds`: the time that a call may take, in addition to what it is asked to wait for a key.
  /// `keeper`: the process that keeps the store, for the message.
  BoundedStore(c10::intrusive_ptr<c10d::Store> store, double seconds, std::string keeper);

  using Store::compareSet;
  using Store::set;
  c10::intrusive_ptr<Store> clone() override;
  void set(const std::string& key, const std::vector<uint8_t>& value) override;
  std::vector<uint8_t> compareSet(const std::string& key, const std::vector<uint8_t>& expected,
                                  const std::vector<uint8_t>& value) override;
  std::vector<uint8_t> get(const std::string& key) override;
  int64_t add(const std::string& key, int64_t value) override;
  bool deleteKey(const std::string& key) override;
  bool check(const std::vector<std::string>& keys) override;
  int64_t getNumKeys() override;
  void wait(const std::vector<std::string>& keys) override;
  void wait(const std::vector<std::string>& keys,
            const std::chrono::milliseconds& timeout) override;
  const std::chrono::milliseconds& getTimeout() const noexcept override;
  void setTimeout(const std::chrono::milliseconds& timeout) override;
  void append(const std::string& key, const std::vector<uint8_t>& value) override;
  std::vector<std::vector<uint8_t>> multiGet(const std::vector<std::string>& keys) override;
  void multiSet(const std::vector<std::string>& keys,
                const std::vector<std::vector<uint8_t>>& values) override;
  bool hasExtendedApi() const override;

 private:
  template <class Call>
  auto bounded(std::chrono::milliseconds asked, Call call) const;

  c10::intrusive_ptr<c10d::Store> store_;
  double seconds_;
  std::string keeper_;
};

}  // namespace retia
