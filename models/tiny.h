#pragma once

#include "retia/models/spaces.h"

namespace retia {

struct TinyOptions {
  int64_t channels = 8;
  /// Adds a hidden layer whose width is a choice; for multi-trial search only.
  bool width_choice = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TinyOptions, channels, width_choice)

/// Returns a space of a few decisions, for tests and first steps: the layer choice `body` of two
/// separable convolutions and the identity, the input choice `skip` between the body and its input,
/// and, if `width_choice` is set, the value choice `width`. Output `logits`. `task.input`:
/// {channels, height, width}.
ir::Graph tiny(const TinyOptions& options, const Task& task);

}  // namespace retia
