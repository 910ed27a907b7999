#include "apps/program.h"

int main(int argc, char** argv) { return retia::Program().run(argc, argv); }
