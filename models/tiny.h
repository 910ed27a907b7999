#pragma once

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of tiny.
struct TinyOptions {
  int64_t channels = 8;
  /// Adds a hidden layer whose width is a choice; for multi-trial search only.
  bool width_choice = false;
};
inline std::vector<Option> declared(TinyOptions& o) {
  return {
      option("channels", o.channels, Range{1, 1e6}, "channels of the convolutions"),
      option("width_choice", o.width_choice,
             "a hidden layer whose width is a choice; multi-trial search only"),
  };
}

/// Returns a space of a few decisions, for tests and first steps: the layer choice `body` of two
/// separable convolutions and the identity, the input choice `skip` between the body and its input,
/// and, if `width_choice` is set, the value choice `width`. Output `logits`. `task.input`:
/// {channels, height, width}.
ir::Graph tiny(const TinyOptions& options, const Task& task);

}  // namespace retia
