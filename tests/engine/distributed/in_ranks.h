#pragma once

#include <c10/util/Exception.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "retia/engine/distributed/ranks.h"

namespace retia {

/// A port of this machine that nobody listens at.
inline int64_t free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool found = ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(listener);
  TORCH_CHECK(found, "no port is free");
  return ntohs(address.sin_port);
}

/// What is told to rank `rank` of `size` on this machine.
inline Launch local_launch(int64_t rank, int64_t size, int64_t port) {
  return {.rank = rank, .size = size, .local_rank = rank, .master = "127.0.0.1", .port = port};
}

/// Runs `work` on `n` ranks, a thread each. Returns the errors that ended them, "" for none.
inline std::vector<std::string> in_ranks(int64_t n, const std::function<void(Ranks&)>& work,
                                         double timeout = 30) {
  // c10d notes the calls of all groups in one list without a lock, as if a process were one rank.
  ::setenv("TORCH_FR_BUFFER_SIZE", "0", 1);
  const int64_t port = free_port();
  std::vector<std::string> errors(static_cast<size_t>(n));
  std::vector<std::thread> threads;
  for (int64_t r = 0; r < n; ++r) {
    threads.emplace_back([&, r] {
      try {
        Ranks ranks(local_launch(r, n, port), timeout);
        work(ranks);
      } catch (const c10::Error& error) {
        errors[static_cast<size_t>(r)] = error.what_without_backtrace();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return errors;
}

}  // namespace retia
