#pragma once

#include "retia/apps/program.h"

/// The commands of the program: each has a file, in which its function and the options are that it
/// has alone, and a row in commands.cpp.
namespace retia::commands {

Command bench_kernels();
Command bench_search_step();
Command completion();
Command evaluate();
Command explore();
Command profile();
Command rank();
Command report();
Command retrain();
Command search();
Command show();
Command space();
Command top();
Command trial();

}  // namespace retia::commands
