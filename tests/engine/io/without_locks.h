#pragma once

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <functional>

namespace retia {

/// Has all locks of files refused in this process, as by a file system that has none (ENOLCK).
inline void refuse_locks() {
  constexpr auto kNumber = static_cast<uint32_t>(offsetof(seccomp_data, nr));
  constexpr auto kCommand = static_cast<uint32_t>(offsetof(seccomp_data, args) + 8);
  // flock; fcntl with F_GETLK, F_SETLK or F_SETLKW (5 to 7).
  std::array<sock_filter, 8> rules = {{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
                                       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_flock, 4, 0),
                                       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 4),
                                       BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCommand),
                                       BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 5, 0, 2),
                                       BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 7, 1, 0),
                                       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOLCK),
                                       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
  const sock_fprog program = {rules.size(), rules.data()};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/// Expects `holds` to be true in a process without locks.
inline void expect_without_locks(const std::function<bool()>& holds) {
  const pid_t child = ::fork();
  if (child == 0) {
    refuse_locks();
    ::_exit(holds() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace retia
