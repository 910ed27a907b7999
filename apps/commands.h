#pragma once

#include "retia/apps/program.h"

/// The functions of commands. Each has its file, and its row in commands.cpp.
namespace retia::commands {

int evaluate(const Program& program, const Config& config);
int explore(const Program& program, const Config& config);
int profile(const Program& program, const Config& config);
int rank(const Program& program, const Config& config);
int report(const Program& program, const Config& config);
int retrain(const Program& program, const Config& config);
int search(const Program& program, const Config& config);
int show(const Program& program, const Config& config);
int space(const Program& program, const Config& config);
int top(const Program& program, const Config& config);

/// Returns `retia trial`, which tries one model, or runs the trial file of a runner.
Command trial();
/// Returns `retia bench kernels`.
Command bench_kernels();
/// Returns `retia bench search-step`.
Command bench_search_step();
/// Returns `retia completion`, which prints a script for a shell.
Command completion();

}  // namespace retia::commands
