#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/architecture.h"

namespace retia {

enum class MutableKind { LayerChoice, InputChoice, ValueChoice };

/// "layer choice", "input choice" or "value choice", for messages and files.
std::string_view to_string(MutableKind kind);

/// One decision of a space: all choices that share a label are this one mutable.
struct Mutable {
  std::string label;
  MutableKind kind = MutableKind::LayerChoice;
  std::vector<std::string> names;   ///< of the candidates; of a value choice its values as text
  std::optional<int64_t> n_chosen;  ///< in a final architecture; none: any number, also zero
  std::string scope;                ///< where its first choice stands: the path before its name
  /// Of an input choice: per candidate the label of the layer choice that makes it, or "".
  std::vector<std::string> fed_by;
  /// Of a layer choice: the candidates that make nothing but zeros, which stand for no connection.
  std::vector<int64_t> zeros;

  int64_t n_candidates() const { return static_cast<int64_t>(names.size()); }

  friend bool operator==(const Mutable&, const Mutable&) = default;
};

/// What a decision is for: a search may blend more candidates than a final architecture keeps.
enum class Purpose { Search, Final };

/// Throws one line that names the label unless `architecture` decides each of `mutables` validly
/// and nothing else: indices distinct, ascending, in range, and n_chosen of them (in a search:
/// n_chosen or more).
void check_architecture(const Architecture& architecture, const std::vector<Mutable>& mutables,
                        Purpose purpose);

/// Throws, naming the nearest label, when `architecture` decides what none of `mutables` is.
void check_labels(const Architecture& architecture, const std::vector<Mutable>& mutables);

/// The same for one decision.
void check_decision(const Decision& decision, const Mutable& choice, Purpose purpose);

/// `architecture` of `from` as one of `to`, where the same labels have candidates of the same names
/// at other positions. Throws, naming it, on a candidate that `to` does not have.
Architecture translated(const Architecture& architecture, const std::vector<Mutable>& from,
                        const std::vector<Mutable>& to);

/// Adds `choice` unless its label is there already. Throws when the two differ in kind, names or
/// n_chosen (one label is one decision), and on a label that is empty or has a dot. A value choice
/// may have the label of a choice of one candidate before it: it reads which one that is.
void add_mutable(std::vector<Mutable>& mutables, Mutable choice);

}  // namespace retia
