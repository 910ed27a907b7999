#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/mutable.h"

namespace retia {

/// One categorical variable of a space: which set of candidates a label chooses or, where any
/// number may be chosen, whether it chooses one of them (category 1) or not (0).
struct Factor {
  size_t choice = 0;       ///< index of the mutable
  int64_t candidate = -1;  ///< that it is about; -1: about the whole set
  int64_t n = 1;           ///< categories
};

/// A category for each factor; none where the architecture does not decide it.
using Categories = std::vector<std::optional<int64_t>>;

/// Decisions as categorical variables, so that one formula serves every kind of choice. Sets of
/// candidates are numbered in lexicographic order.
class Factors {
 public:
  /// Throws where one label has more than 65,536 sets to choose from.
  explicit Factors(const std::vector<Mutable>& mutables);

  const std::vector<Factor>& list() const { return list_; }
  size_t size() const { return list_.size(); }

  Categories categories(const Architecture& architecture) const;

  /// The inverse; decides the labels whose factors all have a category.
  Architecture architecture(const Categories& categories) const;

  /// The decision whose factors have those categories, of the mutable that `factor`, its first, is
  /// of.
  Decision decision(size_t factor, const Categories& categories) const;

  /// In how many ways all can be decided, reached or not; none: in more than `limit`.
  std::optional<int64_t> n_combinations(int64_t limit) const;

 private:
  std::vector<Mutable> mutables_;
  std::vector<Factor> list_;
};

}  // namespace retia
