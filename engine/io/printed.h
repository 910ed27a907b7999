#pragma once

namespace retia {

/// The fates of what a process printed.
enum class Printed {
  Written,     ///< all of it was taken
  ReaderGone,  ///< stdout is a pipe whose reader has ended: `retia top RUN | head`
  Lost         ///< a part could not be written: the disk behind stdout is full
};

struct PrintedEnd {
  Printed fate = Printed::Written;
  int failure = 0;  ///< errno, where something was lost
};

/// Writes out what stdout still holds and returns whether all that was printed since the process
/// began, or since the last call, was written. Later output starts afresh.
PrintedEnd finish_printing();

}  // namespace retia
