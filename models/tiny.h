#pragma once

#include "models/spaces.h"

namespace retia {

struct TinyOptions {
  int64_t channels = 8;
  bool width_choice = false;  ///< adds a hidden layer whose width is a choice: for trials only
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TinyOptions, channels, width_choice)

/// A space of a few decisions, for tests and first steps: the layer choice `body` of two separable
/// convolutions and the identity, the input choice `skip` of the body or what it reads, and, where
/// asked for, the value choice `width`. Output `logits`. task.input: {channels, height, width}.
ir::Graph tiny(const TinyOptions& options, const Task& task);

}  // namespace retia
