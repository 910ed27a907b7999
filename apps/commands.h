#pragma once

#include "retia/apps/program.h"

/// The commands of the program. Each has a file with its function and its own options, and a row in
/// commands.cpp.
namespace retia::commands {

/// Returns `retia bench kernels`, which times the kernels against their references.
Command bench_kernels();
/// Returns `retia bench search-step`, which times the steps of a search.
Command bench_search_step();
/// Returns `retia completion`, which prints a script for a shell.
Command completion();
/// Returns `retia evaluate`, which scores an architecture with the weights of a run.
Command evaluate();
/// Returns `retia explore`, which searches by trials.
Command explore();
/// Returns `retia profile`, which measures the latency of the operations of a space.
Command profile();
/// Returns `retia rank`, which tells how well the weights of a search rank architectures.
Command rank();
/// Returns `retia report`, which shows how far a run is and what it has found.
Command report();
/// Returns `retia retrain`, which trains an architecture from scratch.
Command retrain();
/// Returns `retia search`, which searches with a supernet.
Command search();
/// Returns `retia show`, which lists all trials of an exploration.
Command show();
/// Returns `retia space`, which shows a space.
Command space();
/// Returns `retia top`, which lists the best trials of an exploration.
Command top();
/// Returns `retia trial`, which tries one model, or runs the trial file of a runner.
Command trial();

}  // namespace retia::commands
