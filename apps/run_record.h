#pragma once

#include <filesystem>
#include <string>

#include "retia/apps/workbench.h"
#include "retia/engine/io/run_directory.h"

namespace retia {

/// Returns run.json of a run directory, which says what the run is made of (see docs/runs.md); null
/// where an older version wrote none.
Json read_run_record(const std::filesystem::path& run);

/// Opens the run directory --out, new or resumed as the configuration says, and writes what the run
/// is made of into run.json: options, `graph`, data, program, machine, and `more`, whose entries
/// are compared too (an architecture, the weights that are used). A resumed run is compared by
/// content: throws one line that names the first node, file, column or option that differs, unless
/// the change is harmless or was asked for by --extend or --allow-change. Changes, and each process
/// that went on, are added to run.json.
RunDirectory open_run_directory(const Program& program, const Config& config,
                                const Workbench& bench, const ir::Graph& graph,
                                const Json& more = Json::object());

/// Opens the run directory on the first rank; returns none on all others. Throws on all ranks where
/// their graphs differ.
std::optional<RunDirectory> open_run_directory(const Program& program, const Config& config,
                                               const Workbench& bench, const ir::Graph& graph,
                                               const Json& more, Ranks& ranks);

}  // namespace retia
