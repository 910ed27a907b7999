#pragma once

#include <string>
#include <vector>

#include "engine/ir/expression.h"
#include "engine/mutable.h"

namespace retia::ir {

/// An option beside the graph that an architecture decides too: how its model is trained, say.
struct Setting {
  std::string path;  ///< where it stands, with dots: "evaluator.weight_optimizer.lr"
  Expression value;  ///< a value choice, or a formula over some

  friend bool operator==(const Setting&, const Setting&) = default;
};

/// The options in `options` that are not decided; `path` is theirs. Throws, naming the option, on
/// what is no expression, and on a choice without a label.
std::vector<Setting> settings_in(const Json& options, const std::string& path);

/// What there is to decide in `settings`; the scope of each is the path of its first setting. Adds
/// nothing for a label that is in `mutables`, and throws where it stands for another choice there.
void add_mutables(std::vector<Mutable>& mutables, const std::vector<Setting>& settings);

/// Whether a mutable is of settings only: its scope has a dot, which no name in a graph has.
bool is_setting(const Mutable& choice);

}  // namespace retia::ir
