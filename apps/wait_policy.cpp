#include "retia/apps/wait_policy.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace retia {
namespace {

constexpr const char* kSpins = "GOMP_SPINCOUNT";
constexpr std::array<std::string_view, 8> kComputing = {"search", "retrain", "evaluate", "explore",
                                                        "rank",   "profile", "trial",    "bench"};

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

bool has_one_thread() {
  const char* const threads = std::getenv("OMP_NUM_THREADS");
  return std::thread::hardware_concurrency() == 1 ||
         (threads != nullptr && std::string_view(threads) == "1");
}

}  // namespace

void spin_briefly(char** argv) {
  const std::string_view command = argv[0] == nullptr || argv[1] == nullptr ? "" : argv[1];
  if (std::find(kComputing.begin(), kComputing.end(), command) == kComputing.end() ||
      is_set(kSpins) || is_set("OMP_WAIT_POLICY") || has_one_thread()) {
    return;
  }
  ::setenv(kSpins, "4000", 1);
  ::execv("/proc/self/exe", argv);  // returns only where it fails: then threads spin longer
}

}  // namespace retia
