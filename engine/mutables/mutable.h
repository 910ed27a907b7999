#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "retia/engine/symbolic/architecture.h"

namespace retia {

/// The kinds of choice.
enum class MutableKind { LayerChoice, InputChoice, ValueChoice };

/// Returns "layer choice", "input choice" or "value choice", for messages and files.
std::string_view to_string(MutableKind kind);

/// One decision of a space. All choices that share a label share one Mutable.
struct Mutable {
  std::string label = {};  ///< key of its decision in architectures, without a dot
  MutableKind kind = MutableKind::LayerChoice;  ///< what is chosen: a layer, inputs or a value
  /// Names of the candidates; of a value choice the values as text.
  std::vector<std::string> names = {};
  /// Number chosen in a final architecture; none: any number, also zero.
  std::optional<int64_t> n_chosen = 1;
  std::string scope = {};  ///< path of its first choice, without the choice's own name
  /// For an input choice, one entry per candidate: the label of the layer choice that makes this
  /// input, or "" where no layer choice does.
  std::vector<std::string> fed_by = {};
  /// For a layer choice: the candidates that output only zeros, i.e. mean "no connection".
  std::vector<int64_t> zeros = {};

  /// Returns the number of candidates, of which `names` has one entry each.
  int64_t n_candidates() const { return static_cast<int64_t>(names.size()); }

  friend bool operator==(const Mutable&, const Mutable&) = default;
};

/// Returns the scope of the choice at `path`: the path without the choice's own name.
std::string scope_of(const std::string& path);

/// Returns the decision that chooses the first n_chosen candidates; none where any number may be
/// chosen.
Decision first_candidates(const Mutable& choice);

/// Returns `architecture` with the first candidates for all of `mutables` that it does not decide.
Architecture completed(Architecture architecture, const std::vector<Mutable>& mutables);

/// The use of a decision: in a search it may blend more candidates than a final architecture keeps.
enum class Purpose { Search, Final };

/// Throws one line that names the label unless `architecture` decides every one of `mutables`
/// validly and nothing else: indices distinct, ascending, in range, and n_chosen of them (n_chosen
/// or more where `purpose` is Search).
void check_architecture(const Architecture& architecture, const std::vector<Mutable>& mutables,
                        Purpose purpose);

/// Throws, naming the nearest label, when `architecture` decides a label that is not among
/// `mutables`.
void check_labels(const Architecture& architecture, const std::vector<Mutable>& mutables);

/// Throws one line that names the label unless `decision` is valid for `choice`; see
/// check_architecture.
void check_decision(const Decision& decision, const Mutable& choice, Purpose purpose);

/// Converts `architecture` from the indices of `from` to the indices of `to`, where the same labels
/// list candidates of the same names at other positions. Throws, naming the candidate, where `to`
/// does not have one.
Architecture translated(const Architecture& architecture, const std::vector<Mutable>& from,
                        const std::vector<Mutable>& to);

/// Adds `choice` to `mutables` unless its label is there already. Throws when two choices of one
/// label differ in kind, names or n_chosen (one label is one decision), and on a label that is
/// empty or contains a dot. A value choice may share the label of an earlier choice of one
/// candidate: the value choice then follows which candidate was chosen.
void add_mutable(std::vector<Mutable>& mutables, Mutable choice);

}  // namespace retia
