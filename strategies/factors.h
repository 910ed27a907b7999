#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "retia/engine/mutables/mutable.h"

namespace retia {

/// One categorical variable of a space. For a choice of n_chosen candidates the category is the set
/// that is chosen; where any number may be chosen, each candidate is a variable with the categories
/// not chosen (0) and chosen (1).
struct Factor {
  size_t choice = 0;       ///< index of the mutable
  int64_t candidate = -1;  ///< index of the candidate; -1: the whole set
  int64_t n = 1;           ///< number of categories
};

/// One category per factor; none where the architecture does not decide the factor.
using Categories = std::vector<std::optional<int64_t>>;

/// The decisions of a space as categorical variables, so that one formula serves every kind of
/// choice. Sets of candidates are numbered in lexicographic order.
class Factors {
 public:
  /// Throws where a label has more than 65,536 sets of candidates.
  explicit Factors(const std::vector<Mutable>& mutables);

  /// Returns the factors, in the order of the mutables.
  const std::vector<Factor>& list() const { return list_; }
  /// Returns the number of factors.
  size_t size() const { return list_.size(); }

  /// Returns the category of each factor in `architecture`.
  Categories categories(const Architecture& architecture) const;

  /// Returns the architecture with the given categories (the inverse of categories); decides the
  /// labels whose factors all have a category.
  Architecture architecture(const Categories& categories) const;

  /// Returns the decision of one mutable from its categories. `factor`: index of the mutable's
  /// first factor.
  Decision decision(size_t factor, const Categories& categories) const;

 private:
  std::vector<Mutable> mutables_;
  std::vector<Factor> list_;
};

}  // namespace retia
