#include "retia/engine/distributed/bounded_store.h"

#include <utility>

#include "retia/engine/distributed/within.h"

namespace retia {
namespace {

constexpr std::chrono::milliseconds kAtOnce{0};  // of calls that wait for no key

}  // namespace

/// `asked`: how long the call may wait for a key.
template <class Call>
auto BoundedStore::bounded(std::chrono::milliseconds asked, Call call) const {
  const double seconds = seconds_ + std::chrono::duration<double>(asked).count();
  return within(seconds, keeper_, [store = store_, call] { return call(*store); });
}

BoundedStore::BoundedStore(c10::intrusive_ptr<c10d::Store> store, double seconds,
                           std::string keeper)
    : store_(std::move(store)), seconds_(seconds), keeper_(std::move(keeper)) {}

c10::intrusive_ptr<c10d::Store> BoundedStore::clone() {
  return c10::make_intrusive<BoundedStore>(
      bounded(kAtOnce, [](Store& store) { return store.clone(); }), seconds_, keeper_);
}

void BoundedStore::set(const std::string& key, const std::vector<uint8_t>& value) {
  bounded(kAtOnce, [key, value](Store& store) { store.set(key, value); });
}

std::vector<uint8_t> BoundedStore::compareSet(const std::string& key,
                                              const std::vector<uint8_t>& expected,
                                              const std::vector<uint8_t>& value) {
  return bounded(kAtOnce, [key, expected, value](Store& store) {
    return store.compareSet(key, expected, value);
  });
}

std::vector<uint8_t> BoundedStore::get(const std::string& key) {
  return bounded(getTimeout(), [key](Store& store) { return store.get(key); });
}

int64_t BoundedStore::add(const std::string& key, int64_t value) {
  return bounded(kAtOnce, [key, value](Store& store) { return store.add(key, value); });
}

bool BoundedStore::deleteKey(const std::string& key) {
  return bounded(kAtOnce, [key](Store& store) { return store.deleteKey(key); });
}

bool BoundedStore::check(const std::vector<std::string>& keys) {
  return bounded(kAtOnce, [keys](Store& store) { return store.check(keys); });
}

int64_t BoundedStore::getNumKeys() {
  return bounded(kAtOnce, [](Store& store) { return store.getNumKeys(); });
}

void BoundedStore::wait(const std::vector<std::string>& keys) { wait(keys, getTimeout()); }

void BoundedStore::wait(const std::vector<std::string>& keys,
                        const std::chrono::milliseconds& timeout) {
  bounded(timeout, [keys, timeout](Store& store) { store.wait(keys, timeout); });
}

const std::chrono::milliseconds& BoundedStore::getTimeout() const noexcept {
  return store_->getTimeout();
}

void BoundedStore::setTimeout(const std::chrono::milliseconds& timeout) {
  store_->setTimeout(timeout);
}

void BoundedStore::append(const std::string& key, const std::vector<uint8_t>& value) {
  bounded(kAtOnce, [key, value](Store& store) { store.append(key, value); });
}

std::vector<std::vector<uint8_t>> BoundedStore::multiGet(const std::vector<std::string>& keys) {
  return bounded(getTimeout(), [keys](Store& store) { return store.multiGet(keys); });
}

void BoundedStore::multiSet(const std::vector<std::string>& keys,
                            const std::vector<std::vector<uint8_t>>& values) {
  bounded(kAtOnce, [keys, values](Store& store) { store.multiSet(keys, values); });
}

bool BoundedStore::hasExtendedApi() const { return store_->hasExtendedApi(); }

}  // namespace retia
