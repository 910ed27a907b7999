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
  std::vector<int64_t> chosen;  ///< indices into the candidates, counted from 0

  friend bool operator==(const Decision&, const Decision&) = default;
  /// Orders decisions lexicographically by their indices.
  friend auto operator<=>(const Decision&, const Decision&) = default;
};

/// One architecture of a space: the decision of each label. A plain value on the host, without a
/// tensor, so that architectures compare, hash and print.
class Architecture {
 public:
  /// Label → decision, in the order of the labels.
  using Decisions = std::map<std::string, Decision>;

  Architecture() = default;
  /// Makes an architecture of these decisions: `{{"normal/0", {{3}}}, {"skip", {{0, 1}}}}`.
  Architecture(std::initializer_list<Decisions::value_type> decisions) : decisions_(decisions) {}

  /// Returns the decision of `label`; adds an empty one where there is none.
  Decision& operator[](const std::string& label) { return decisions_[label]; }

  /// Returns the decision of `label`. Throws, naming the nearest label, where there is none.
  const Decision& at(const std::string& label) const;

  /// Returns whether there is a decision for `label`.
  bool contains(const std::string& label) const { return decisions_.count(label) != 0; }
  /// Returns the number of labels that are decided.
  size_t size() const { return decisions_.size(); }
  /// Begins an iteration over pairs of label and decision, in the order of the labels.
  Decisions::const_iterator begin() const { return decisions_.begin(); }
  /// Ends the iteration that begin() began.
  Decisions::const_iterator end() const { return decisions_.end(); }

  /// Returns a hash that is the same on every machine for equal architectures.
  uint64_t hash() const;

  /// Returns a text for messages: `{normal/0: 3, skip: [0, 1]}`.
  std::string to_string() const;

  friend bool operator==(const Architecture&, const Architecture&) = default;
  /// Orders architectures lexicographically by labels and decisions, e.g. as keys of a map.
  friend auto operator<=>(const Architecture&, const Architecture&) = default;

 private:
  Decisions decisions_;
};

}  // namespace retia
