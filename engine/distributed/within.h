#pragma once

#include <c10/util/Exception.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>

namespace retia {

/// Runs `call` in a thread of its own and returns or throws what it does. Where it takes longer than
/// `seconds`, throws one line that names `whom` it waits for; the thread is then left behind, so
/// `call` must own all that it uses.
template <class Call>
auto within(double seconds, const std::string& whom, Call call) {
  std::packaged_task<decltype(call())()> task(std::move(call));
  auto result = task.get_future();
  std::thread(std::move(task)).detach();
  TORCH_CHECK(result.wait_for(std::chrono::duration<double>(seconds)) == std::future_status::ready,
              whom, " does not answer for ", seconds, " s: killed, hung or cut off");
  return result.get();
}

}  // namespace retia
