// A program that does nothing but load LibTorch's CPU half: what `retia --help` is held against.
#include <ATen/Parallel.h>

int main() { return at::get_num_threads() > 0 ? 0 : 1; }
