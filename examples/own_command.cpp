#include <retia/program.h>

#include <iostream>

using namespace retia;

struct CountOptions {
  std::string space = "tiny";
  int64_t side = 32;
};

/// Each option once: for the command line, JSON, checks, help and completion.
std::vector<Option> declared(CountOptions& o) {
  return {option("space", o.space, Names{.table = "space"}, "model space"),
          option("side", o.side, Range{8, 1024}, "height and width of an image, in pixels")};
}

/// Prints the number of decisions in a space for colour images of ten classes.
int count(const Program& program, const CountOptions& options) {
  const Space space =
      program.spaces.search(options.space, Json::object(), {{3, options.side, options.side}, 10});
  std::cout << space.mutables().size() << " decisions\n";
  return kDone;
}

int main(int argc, char** argv) {
  Program program;
  program.commands.add("count", "counts the decisions of a space", count);
  return program.run(argc, argv);
}
