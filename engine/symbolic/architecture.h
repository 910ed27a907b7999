#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace retia {

/// The decision taken for one label: the indices of the chosen candidates, distinct and ascending.
/// A search that blends all candidates has chosen all of them.
struct Decision {
  std::vector<int64_t> chosen;

  friend bool operator==(const Decision&, const Decision&) = default;
  friend auto operator<=>(const Decision&, const Decision&) = default;
};

/// One architecture of a space: the decision of each label. A plain value on the host, without a
/// tensor, so that architectures compare, hash and print.
class Architecture {
 public:
  using Decisions = std::map<std::string, Decision>;

  Architecture() = default;
  Architecture(std::initializer_list<Decisions::value_type> decisions) : decisions_(decisions) {}

  /// Returns the decision of `label`; adds an empty one where there is none.
  Decision& operator[](const std::string& label) { return decisions_[label]; }

  /// Returns the decision of `label`. Throws, naming the nearest label, where there is none.
  const Decision& at(const std::string& label) const;

  bool contains(const std::string& label) const { return decisions_.count(label) != 0; }
  size_t size() const { return decisions_.size(); }
  Decisions::const_iterator begin() const { return decisions_.begin(); }
  Decisions::const_iterator end() const { return decisions_.end(); }

  /// Returns a hash that is the same on every machine for equal architectures.
  uint64_t hash() const;

  /// Returns a text for messages: `{normal/0: 3, skip: [0, 1]}`.
  std::string to_string() const;

  friend bool operator==(const Architecture&, const Architecture&) = default;
  friend auto operator<=>(const Architecture&, const Architecture&) = default;

 private:
  Decisions decisions_;
};

}  // namespace retia
