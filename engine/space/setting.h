#pragma once

#include <string>
#include <vector>

#include "retia/engine/mutables/mutable.h"
#include "retia/engine/symbolic/expression.h"

namespace retia::ir {

/// An option outside the graph that an architecture decides too, for example a hyperparameter of
/// the training.
struct Setting {
  std::string path;  ///< position of the option, with dots: "evaluator.weight_optimizer.lr"
  Expression value;  ///< a value choice or a formula over value choices

  friend bool operator==(const Setting&, const Setting&) = default;
};

/// Returns the undecided options inside `options`, whose own position is `path`. Throws, naming the
/// option, on a malformed expression and on a choice without a label.
std::vector<Setting> settings_in(const Json& options, const std::string& path);

/// Adds the choices in `settings` to `mutables`; the scope of each is the path of the first setting
/// that has it. A label that is already in `mutables` is not added again; throws where it stands
/// for a different choice.
void add_mutables(std::vector<Mutable>& mutables, const std::vector<Setting>& settings);

/// Returns whether a mutable occurs in settings only: its scope then contains a dot, which no name
/// in a graph does.
bool is_setting(const Mutable& choice);

}  // namespace retia::ir
