#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/json.h"

namespace retia {

/// A trial to be run in a process of its own.
struct ProcessRequest {
  int64_t id = 0;                             ///< as the one who asks counts
  std::string file = "";                      ///< see TrialFile
  std::string log = "";                       ///< what it prints is added to this file
  std::vector<std::string> environment = {};  ///< `NAME=VALUE`, beside that of the server
  double time_limit = 0;                      ///< seconds; 0: none
  double memory_limit = 0;                    ///< MB (2^20 bytes) resident; 0: none
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProcessRequest, id, file, log, environment, time_limit,
                                   memory_limit)

/// Why a trial's process is no more.
enum class EndCause {
  Exited,       ///< code: of exit
  Signalled,    ///< code: the signal
  TimedOut,     ///< killed at its time limit
  OutOfMemory,  ///< killed at its memory limit
  NotStarted,   ///< code: the errno of fork
  Lost          ///< with the server
};
NLOHMANN_JSON_SERIALIZE_ENUM(EndCause, {{EndCause::Exited, "exited"},
                                        {EndCause::Signalled, "signalled"},
                                        {EndCause::TimedOut, "timed_out"},
                                        {EndCause::OutOfMemory, "out_of_memory"},
                                        {EndCause::NotStarted, "not_started"},
                                        {EndCause::Lost, "lost"}})

struct ProcessEnd {
  int64_t id = 0;  ///< of the request
  EndCause cause = EndCause::Exited;
  int code = 0;
  double seconds = 0;      ///< that it took
  double peak_memory = 0;  ///< MB: of one process or, at a limit, of all that it had started
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProcessEnd, id, cause, code, seconds, peak_memory)

/// What is said on the socket between a server and TrialProcesses: a JSON object a packet.
enum class Message { Start, Stop, Ready, Started, Ended };
NLOHMANN_JSON_SERIALIZE_ENUM(Message, {{Message::Start, "start"},      // a ProcessRequest
                                       {Message::Stop, "stop"},        // its id
                                       {Message::Ready, "ready"},      // null
                                       {Message::Started, "started"},  // [id, process]
                                       {Message::Ended, "ended"}})     // a ProcessEnd

/// false: nobody reads any more.
bool send_message(int socket, Message message, const Json& content);

/// Waits for a packet. none: the other side has closed, or died.
std::optional<std::pair<Message, Json>> receive_message(int socket);

/// Forks a process for each trial that is asked for on `socket`, until that is closed; then kills
/// those that run. This process has loaded LibTorch, which its children find loaded: one starts in
/// a few milliseconds. So it must never have run a tensor operation, made a thread, or opened CUDA.
///
/// A child leads a session of its own, calls run(file) and exits with what that returns; it dies
/// with this process, and with it all that it has started. A stopped one is sent SIGTERM and, five
/// seconds later, is killed.
void serve_trials(int socket, const std::function<int(const std::filesystem::path&)>& run);

}  // namespace retia
