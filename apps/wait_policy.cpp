#include "retia/apps/wait_policy.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <thread>

namespace retia {
namespace {

constexpr const char* kSpins = "GOMP_SPINCOUNT";
/// Commands that run no parallel loops.
constexpr std::array<std::string_view, 9> kQuick = {
    "-h", "--help", "help", "--version", "completion", "show", "top", "report", "space"};

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

bool has_one_thread() {
  const char* const threads = std::getenv("OMP_NUM_THREADS");
  return std::thread::hardware_concurrency() == 1 ||
         (threads != nullptr && std::string_view(threads) == "1");
}

bool computes(char** argv) {
  if (argv[0] == nullptr || argv[1] == nullptr ||
      std::find(kQuick.begin(), kQuick.end(), argv[1]) != kQuick.end()) {
    return false;
  }
  for (char** word = argv + 2; *word != nullptr; ++word) {
    if (std::string_view(*word) == "--help" || std::string_view(*word) == "-h") {
      return false;
    }
  }
  return true;
}

}  // namespace

void spin_briefly(char** argv) {
  if (!computes(argv) || is_set(kSpins) || is_set("OMP_WAIT_POLICY") || has_one_thread()) {
    return;
  }
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  // Another name: a loader or a debugger runs the program, and would be started in its place.
  if (error || self.filename() != std::filesystem::path(argv[0]).filename() ||
      ::setenv(kSpins, "4000", 1) != 0) {
    return;
  }
  ::execv(self.c_str(), argv);  // returns only where it fails: then threads spin longer
}

}  // namespace retia
