#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace retia {

/// What one label has decided: indices of the chosen candidates, distinct and in ascending order.
/// A blend of all candidates has chosen all of them.
struct Decision {
  std::vector<int64_t> chosen;

  friend bool operator==(const Decision&, const Decision&) = default;
  friend auto operator<=>(const Decision&, const Decision&) = default;
};

/// Label -> decision: all that tells one architecture of a space from another. A plain value on
/// the host, so that it compares, hashes and prints.
class Architecture {
 public:
  using Decisions = std::map<std::string, Decision>;

  Architecture() = default;
  Architecture(std::initializer_list<Decisions::value_type> decisions) : decisions_(decisions) {}

  /// The decision of `label`; made when it is not there yet.
  Decision& operator[](const std::string& label) { return decisions_[label]; }

  /// The decision of `label`. Throws, naming the nearest label, when there is none.
  const Decision& at(const std::string& label) const;

  bool contains(const std::string& label) const { return decisions_.count(label) != 0; }
  size_t size() const { return decisions_.size(); }
  Decisions::const_iterator begin() const { return decisions_.begin(); }
  Decisions::const_iterator end() const { return decisions_.end(); }

  /// Equal architectures hash equally, on every machine.
  uint64_t hash() const;

  /// `{normal/0: 3, skip: [0, 1]}`, for messages.
  std::string to_string() const;

  friend bool operator==(const Architecture&, const Architecture&) = default;
  friend auto operator<=>(const Architecture&, const Architecture&) = default;

 private:
  Decisions decisions_;
};

}  // namespace retia
