#include "retia/engine/io/memory.h"

#include <fstream>
#include <string>

namespace retia {

double take_peak_memory() {
  double kilobytes = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) {
      kilobytes = std::stod(line.substr(6));
    }
  }
  std::ofstream("/proc/self/clear_refs") << "5";  // VmHWM becomes what is in use now
  return kilobytes / 1024;
}

}  // namespace retia
