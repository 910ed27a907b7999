#pragma once

#include <string>
#include <vector>

#include "retia/engine/base/json.h"

namespace retia {

class Program;
struct Config;
struct SpaceReference;

/// The configuration of a command, completed by the files that its command line names.
struct Recalled {
  Json given;  ///< the configuration, completed by what the files say
  /// One line for each option that was given otherwise than in the files, with both values.
  std::vector<std::string> differences = {};
};

/// Completes the configuration `given` of a command from the architecture or the run that it names:
/// the space and its options, the architecture of a run directory, and the data of a run. What was
/// given stays. Files that cannot be read recall nothing, unless the space is not given either.
Recalled recalled(const Program& program, const std::string& command, const Json& given);

/// Returns how `config`, of a search or an exploration, names its space beside architectures.
SpaceReference space_reference(const Config& config);

/// Returns how a retraining of `config` names the space of an architecture that `found` describes.
SpaceReference evaluated_reference(const Config& config, SpaceReference found);

}  // namespace retia
