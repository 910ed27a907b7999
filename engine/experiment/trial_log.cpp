#include "engine/experiment/trial_log.h"

#include <c10/util/Exception.h>

#include <sstream>

#include "engine/architecture_json.h"
#include "engine/io/files.h"
#include "engine/ir/graph.h"

namespace retia {
namespace {

constexpr const char* kFormat = "retia.trials";
constexpr int64_t kVersion = 1;

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

}  // namespace

TrialLog::TrialLog(std::filesystem::path path, const std::vector<Mutable>& mutables,
                   const std::string& space)
    : path_(std::move(path)), mutables_(mutables), file_(path_) {
  read(space);
}

void TrialLog::read(const std::string& space) {
  const std::string text = read_file(path_);
  const size_t last_newline = text.rfind('\n');
  if (last_newline == std::string::npos) {
    file_.rewind(0);
    file_.write({{"format", kFormat}, {"version", kVersion}, {"space", space}});
    return;
  }
  std::istringstream lines(text.substr(0, last_newline));
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    const std::string where = c10::str(path_.string(), ": line ", number);
    ir::in_context(where, [&] {
      try {
        const Json json = Json::parse(line);
        if (number > 1) {
          found_.push_back(record_from_json(json, mutables_));
          return;
        }
        check_format(json, "trials", kFormat, kVersion);
        TORCH_CHECK(json.at("space") == space, "the trials are of space ", json.at("space").dump(),
                    ", expected \"", space, "\"");
      } catch (const Json::exception& error) {
        TORCH_CHECK(false, "is damaged: ", error.what());
      }
    });
  }
  file_.rewind(static_cast<int64_t>(last_newline) + 1);
}

void TrialLog::append(const TrialRecord& record) {
  file_.write(to_json(record, mutables_));
  file_.position();
}

}  // namespace retia
