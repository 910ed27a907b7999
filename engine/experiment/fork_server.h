#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/base/json.h"

namespace retia {

/// A trial to be run in its own process.
struct ProcessRequest {
  int64_t id = 0;         ///< an id that the caller chooses
  std::string file = "";  ///< the trial file, see TrialFile
  std::string log = "";   ///< file to which its output is appended
  /// `NAME=VALUE`, added to the environment of the server.
  std::vector<std::string> environment = {};
  double time_limit = 0;    ///< seconds; 0: no limit
  double memory_limit = 0;  ///< resident MiB; 0: no limit
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProcessRequest, id, file, log, environment, time_limit,
                                   memory_limit)

/// The reasons for which a trial's process ended.
enum class EndCause {
  Exited,       ///< `code`: the exit code
  Signalled,    ///< `code`: the signal
  TimedOut,     ///< killed at its time limit
  OutOfMemory,  ///< killed at its memory limit
  NotStarted,   ///< `code`: the errno of fork
  Lost          ///< the server died
};
NLOHMANN_JSON_SERIALIZE_ENUM(EndCause, {{EndCause::Exited, "exited"},
                                        {EndCause::Signalled, "signalled"},
                                        {EndCause::TimedOut, "timed_out"},
                                        {EndCause::OutOfMemory, "out_of_memory"},
                                        {EndCause::NotStarted, "not_started"},
                                        {EndCause::Lost, "lost"}})

/// The end of a trial's process.
struct ProcessEnd {
  int64_t id = 0;  ///< the id of the request
  EndCause cause = EndCause::Exited;
  int code = 0;
  double seconds = 0;  ///< running time
  /// MiB: of one process or, at a memory limit, of all its processes together.
  double peak_memory = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProcessEnd, id, cause, code, seconds, peak_memory)

/// The messages between a fork server and TrialProcesses: one JSON object per packet.
enum class Message { Start, Stop, Ping, Ready, Started, Ended, Pong };
NLOHMANN_JSON_SERIALIZE_ENUM(Message, {{Message::Start, "start"},      // a ProcessRequest
                                       {Message::Stop, "stop"},        // its id
                                       {Message::Ping, "ping"},        // null, answered by Pong
                                       {Message::Ready, "ready"},      // null
                                       {Message::Started, "started"},  // [id, process]
                                       {Message::Ended, "ended"},      // a ProcessEnd
                                       {Message::Pong, "pong"}})       // null

/// Sends a message; returns false where the other side has closed the socket.
bool send_message(int socket, Message message, const Json& content);

/// Waits for a message and returns it; none where the other side has closed the socket or died.
std::optional<std::pair<Message, Json>> receive_message(int socket);

/// Runs a fork server: forks a process for each trial requested on `socket`, until the socket is
/// closed; then kills the running trials. LibTorch is loaded once, in this process, so a child
/// starts in a few milliseconds. This process must never run a tensor operation, start a thread or
/// open CUDA.
///
/// A child leads its own session, calls run(file) and exits with the returned code; it and all its
/// descendants die with this process. To stop a child, SIGTERM is sent and, five seconds later,
/// SIGKILL.
void serve_trials(int socket, const std::function<int(const std::filesystem::path&)>& run);

}  // namespace retia
