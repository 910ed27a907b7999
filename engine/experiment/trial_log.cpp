#include "engine/experiment/trial_log.h"

#include <c10/util/Exception.h>

#include <fstream>

#include "engine/architecture_json.h"
#include "engine/io/files.h"
#include "engine/ir/graph.h"

namespace retia {
namespace {

constexpr const char* kFormat = "retia.trials";
constexpr int64_t kVersion = 1;
constexpr std::chrono::milliseconds kSyncInterval{100};

Json to_json(const TrialRecord& record, const std::vector<Mutable>& mutables) {
  return {{"trial", record.proposal.id},
          {"choices", choices_to_json(record.proposal.architecture, mutables)},
          {"epochs", record.proposal.epochs},
          {"continues", record.proposal.continues},
          {"status", record.status},
          {"objectives", record.objectives},
          {"metrics", record.metrics},
          {"error", record.error},
          {"seconds", record.seconds}};
}

TrialRecord record_from_json(const Json& json, const std::vector<Mutable>& mutables) {
  TrialRecord record{.proposal = {.id = json.at("trial"),
                                  .architecture = choices_from_json(json.at("choices"), mutables),
                                  .epochs = json.at("epochs"),
                                  .continues = json.at("continues")},
                     .status = json.at("status"),
                     .objectives = json.at("objectives"),
                     .metrics = json.at("metrics"),
                     .error = json.at("error"),
                     .seconds = json.at("seconds")};
  TORCH_CHECK(Json(record.status) == json.at("status"), "is damaged: unknown status ",
              json.at("status").dump());
  return record;
}

/// What `read` makes of a line; errors name the file and the line.
template <class Read>
decltype(auto) read_line(const std::filesystem::path& path, int64_t number, const Read& read) {
  return ir::in_context(c10::str(path.string(), ": line ", number), [&] {
    try {
      return read();
    } catch (const Json::exception& error) {
      TORCH_CHECK(false, "is damaged: ", error.what());
    }
  });
}

/// Calls `visit(line, its number)` for each whole line; returns their bytes.
template <class Visit>
int64_t each_line(const std::filesystem::path& path, const Visit& visit) {
  std::ifstream file(path, std::ios::binary);
  TORCH_CHECK(file.is_open(), path.string(),
              ": cannot be read: give the folder of a `retia explore --out`");
  int64_t n_bytes = 0;
  std::string line;
  for (int64_t number = 1; std::getline(file, line) && !file.eof(); ++number) {
    n_bytes += static_cast<int64_t>(line.size()) + 1;
    visit(line, number);
  }
  return n_bytes;
}

/// Throws unless a header is of our format.
Json header_from(const std::string& line) {
  Json header = Json::parse(line);
  check_format(header, "trials", kFormat, kVersion);
  return header;
}

}  // namespace

TrialLog::TrialLog(std::filesystem::path path, const std::vector<Mutable>& mutables,
                   const std::string& space, const std::vector<Objective>& objectives)
    : path_(std::move(path)), mutables_(mutables), file_(path_) {
  open(space, objectives);
}

void TrialLog::open(const std::string& space, const std::vector<Objective>& objectives) {
  const int64_t n_bytes = each_line(path_, [&](const std::string& line, int64_t number) {
    if (number > 1) {
      return;
    }
    read_line(path_, number, [&] {
      const Json header = header_from(line);
      TORCH_CHECK(header.at("space") == space, "the trials are of space ",
                  header.at("space").dump(), ", expected \"", space, "\"");
      TORCH_CHECK(header.at("objectives") == Json(objectives), "the trials have the objectives ",
                  header.at("objectives").dump(), ", expected ", Json(objectives).dump(),
                  ": resume with the same evaluator, or give another --out");
    });
  });
  file_.rewind(n_bytes);
  if (n_bytes == 0) {
    file_.write(
        {{"format", kFormat}, {"version", kVersion}, {"space", space}, {"objectives", objectives}});
  }
}

void TrialLog::each(const std::function<void(const TrialRecord&)>& visit) const {
  each_line(path_, [&](const std::string& line, int64_t number) {
    if (number > 1) {
      visit(
          read_line(path_, number, [&] { return record_from_json(Json::parse(line), mutables_); }));
    }
  });
}

// A line that was handed to the system survives the death of this process; waiting for the disk
// after each would cost more than a cheap trial.
void TrialLog::append(const TrialRecord& record) {
  file_.write(to_json(record, mutables_));
  if (std::chrono::steady_clock::now() - synced_ > kSyncInterval) {
    sync();
  }
}

void TrialLog::sync() {
  file_.position();
  synced_ = std::chrono::steady_clock::now();
}

ListedTrials list_trials(const std::filesystem::path& path) {
  ListedTrials listed;
  const int64_t n_bytes = each_line(path, [&](const std::string& line, int64_t number) {
    read_line(path, number, [&] {
      if (number > 1) {
        listed.trials.push_back(Json::parse(line));
        return;
      }
      const Json header = header_from(line);
      listed.space = header.at("space");
      listed.objectives = header.at("objectives").get<std::vector<Objective>>();
    });
  });
  TORCH_CHECK(n_bytes > 0, path.string(), " holds no trials yet");
  return listed;
}

}  // namespace retia
