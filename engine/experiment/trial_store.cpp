#include "retia/engine/experiment/trial_store.h"

#include <c10/util/Exception.h>

#include <cmath>
#include <limits>
#include <map>

#include "retia/engine/ir/graph.h"
#include "retia/engine/space/architecture_json.h"

namespace retia {
namespace {

constexpr const char* kStoreFormat = "retia.experiment";
constexpr const char* kStoreVersion = "1";

constexpr const char* kTables = R"(
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE runs (
    id INTEGER PRIMARY KEY, began REAL NOT NULL, seconds REAL NOT NULL, host TEXT NOT NULL,
    process INTEGER NOT NULL, concurrency INTEGER NOT NULL, merge INTEGER NOT NULL,
    max_trials INTEGER NOT NULL, max_duration REAL NOT NULL, ending TEXT NOT NULL);
  CREATE TABLE trials (
    id INTEGER PRIMARY KEY, status TEXT NOT NULL, choices TEXT NOT NULL, epochs INTEGER NOT NULL,
    continues INTEGER NOT NULL, objectives TEXT NOT NULL, metrics TEXT NOT NULL,
    intermediate TEXT NOT NULL, error TEXT NOT NULL, seconds REAL NOT NULL, began REAL NOT NULL,
    ended REAL NOT NULL, host TEXT NOT NULL, log TEXT NOT NULL, attempts INTEGER NOT NULL,
    seed INTEGER, seen INTEGER NOT NULL, job INTEGER NOT NULL, floors TEXT NOT NULL,
    model TEXT NOT NULL))";

constexpr const char* kColumns =
    "id, status, choices, epochs, continues, objectives, metrics, intermediate, error, seconds, "
    "began, ended, host, log, attempts, seed, seen, job, floors, model";
// Stores of earlier versions have none.
constexpr const char* kRetries = R"(
  CREATE TABLE IF NOT EXISTS retries (
    id INTEGER PRIMARY KEY, trial INTEGER NOT NULL, error TEXT NOT NULL, seconds REAL NOT NULL,
    began REAL NOT NULL, ended REAL NOT NULL, host TEXT NOT NULL, attempts INTEGER NOT NULL,
    told INTEGER NOT NULL))";

enum Column {
  kId,
  kStatus,
  kChoices,
  kEpochs,
  kContinues,
  kObjectives,
  kMetrics,
  kIntermediate,
  kError,
  kSeconds,
  kBegan,
  kEnded,
  kHost,
  kLog,
  kAttempts,
  kSeed,
  kSeen,
  kJob,
  kFloors,
  kModel,
  kToldFailed
};

Statement all_trials(Database& database) {
  const char* told_failed = database.has_table("retries")
                                ? "EXISTS (SELECT 1 FROM retries WHERE trial = trials.id AND told)"
                                : "0";
  return Statement(
      database,
      c10::str("SELECT ", kColumns, ", ", told_failed, " FROM trials ORDER BY id").c_str());
}

/// Returns the errors after which trials ran again, by trial.
std::map<int64_t, std::vector<std::string>> failures_in(Database& database) {
  std::map<int64_t, std::vector<std::string>> failures;
  if (database.has_table("retries")) {
    Statement rows(database, "SELECT trial, error FROM retries ORDER BY id");
    while (rows.next()) {
      failures[rows.integer(0)].push_back(rows.text(1));
    }
  }
  return failures;
}

/// Returns read(row) for the row of a trial; errors name the file and the trial.
template <class Read>
decltype(auto) read_row(const std::filesystem::path& path, const Statement& row, const Read& read) {
  return ir::in_context(c10::str(path.string(), ": trial ", row.integer(kId)), [&] {
    try {
      return read();
    } catch (const Json::exception& error) {
      TORCH_CHECK(false, "is damaged: ", error.what());
    }
  });
}

/// JSON has no NaN: null stands for it.
std::vector<double> numbers_from(const std::string& text) {
  std::vector<double> numbers;
  for (const Json& number : Json::parse(text)) {
    numbers.push_back(number.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                       : number.get<double>());
  }
  return numbers;
}

TrialStatus status_from(const std::string& text) {
  const Json json = text;
  const auto status = json.get<TrialStatus>();
  TORCH_CHECK(Json(status) == json, "is damaged: unknown status ", json.dump());
  return status;
}

Trial trial_from(const Statement& row, const std::vector<Mutable>& mutables) {
  return {.proposal = {.id = row.integer(kId),
                       .architecture = choices_from_json(Json::parse(row.text(kChoices)), mutables),
                       .epochs = row.integer(kEpochs),
                       .continues = row.integer(kContinues)},
          .floors = numbers_from(row.text(kFloors)),
          .n_told = row.integer(kSeen),
          .job = row.integer(kJob),
          .seed = row.optional_integer(kSeed),
          .evaluation = {.status = status_from(row.text(kStatus)),
                         .objectives = numbers_from(row.text(kObjectives)),
                         .metrics = Json::parse(row.text(kMetrics)),
                         .intermediate = numbers_from(row.text(kIntermediate)),
                         .error = row.text(kError)},
          .seconds = row.number(kSeconds),
          .began = row.number(kBegan),
          .ended = row.number(kEnded),
          .host = row.text(kHost),
          .log = row.text(kLog),
          .n_attempts = row.integer(kAttempts),
          .told_failed = row.integer(kToldFailed) != 0};
}

Json listed(const Statement& row) {
  const auto time = [&](Column column) {
    return row.number(column) > 0 ? Json(row.number(column)) : Json();
  };
  const std::optional<int64_t> seed = row.optional_integer(kSeed);
  return {{"trial", row.integer(kId)},
          {"status", status_from(row.text(kStatus))},
          {"choices", Json::parse(row.text(kChoices))},
          {"epochs", row.integer(kEpochs)},
          {"continues", row.integer(kContinues)},
          {"objectives", Json::parse(row.text(kObjectives))},
          {"metrics", Json::parse(row.text(kMetrics))},
          {"intermediate", Json::parse(row.text(kIntermediate))},
          {"error", row.text(kError)},
          {"seconds", row.number(kSeconds)},
          {"started", time(kBegan)},
          {"ended", time(kEnded)},
          {"host", row.text(kHost)},
          {"log", row.text(kLog)},
          {"attempts", row.integer(kAttempts)},
          {"seed", seed ? Json(*seed) : Json()},
          {"model", row.text(kModel)}};
}

/// Returns the possible decisions of each label, as stored in the table `meta`.
Json to_json(const std::vector<Mutable>& mutables) {
  Json all = Json::array();
  for (const Mutable& choice : mutables) {
    all.push_back({{"label", choice.label},
                   {"kind", to_string(choice.kind)},
                   {"candidates", choice.names},
                   {"n_chosen", choice.n_chosen ? Json(*choice.n_chosen) : Json()}});
  }
  return all;
}

std::string hex(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

std::string meta(Database& database, std::string_view key) {
  Statement row(database, "SELECT value FROM meta WHERE key = ?");
  return row.with(key).next() ? row.text(0) : "";
}

/// Throws unless it is a store of ours.
void check_format(Database& database) {
  const std::string path = database.path().string();
  TORCH_CHECK(database.has_table("meta") && meta(database, "format") == kStoreFormat, path,
              ": is no experiment: its table 'meta' says no format \"", kStoreFormat, "\"");
  TORCH_CHECK(meta(database, "version") == kStoreVersion, path, ": is of version ",
              meta(database, "version"), ", but this program reads version ", kStoreVersion);
  for (const char* table : {"runs", "trials"}) {
    TORCH_CHECK(database.has_table(table), path, ": is damaged: it has no table '", table, "'");
  }
}

/// Returns the objectives of a store, of any version: a direction that is not stored is to maximise.
std::vector<Objective> objectives_in(Database& database) {
  try {
    return Json::parse(meta(database, "objectives")).get<std::vector<Objective>>();
  } catch (const Json::exception& error) {
    TORCH_CHECK(false, database.path().string(), ": is damaged: ", error.what());
  }
}

void check_subject(Database& database, const Json& mutables, const std::string& space,
                   const Json& objectives) {
  const std::string path = database.path().string();
  TORCH_CHECK(meta(database, "space") == space, path, ": the trials are of space \"",
              meta(database, "space"), "\", expected \"", space, "\"");
  TORCH_CHECK(meta(database, "mutables") == mutables.dump(), path, ": the trials are of space \"",
              space, "\" with other choices than it has now: give another --out");
  const Json stored = Json(objectives_in(database));
  TORCH_CHECK(stored == objectives, path, ": the trials have the objectives ", stored.dump(),
              ", expected ", objectives.dump(),
              ": resume with the same evaluator, or give another --out");
}

/// A store of these trials, which is made where there is none.
Database opened(const std::filesystem::path& path, const Json& mutables, const std::string& space,
                const Json& objectives) {
  Database database(path, DatabaseAccess::Write);
  if (database.is_empty()) {
    Transaction transaction(database);
    database.execute(kTables);
    Statement add(database, "INSERT INTO meta VALUES (?, ?)");
    const auto put = [&](std::string_view key, const std::string& value) {
      add.with(key, value).run();
    };
    put("format", kStoreFormat);
    put("version", kStoreVersion);
    put("space", space);
    put("objectives", objectives.dump());
    put("mutables", mutables.dump());
    transaction.commit();
  }
  check_format(database);
  check_subject(database, mutables, space, objectives);
  database.execute(kRetries);
  return database;
}

}  // namespace

TrialStore::TrialStore(const std::filesystem::path& path, const std::vector<Mutable>& mutables,
                       const std::string& space, const std::vector<Objective>& objectives)
    : database_(opened(path, to_json(mutables), space, Json(objectives))),
      mutables_(mutables),
      write_(database_, c10::str("INSERT OR REPLACE INTO trials (", kColumns,
                                 ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                                 "?, ?)")
                            .c_str()),
      update_run_(database_, "UPDATE runs SET seconds = ?, ending = ? WHERE id = ?") {}

void TrialStore::copy_to(const std::filesystem::path& path) const {
  Statement(database_, "VACUUM INTO ?").with(std::string_view(path.native())).run();
}

void TrialStore::each(const std::function<void(const Trial&)>& visit) const {
  Statement rows = all_trials(database_);
  while (rows.next()) {
    visit(read_row(path(), rows, [&] { return trial_from(rows, mutables_); }));
  }
}

void TrialStore::write(std::span<const Trial> trials) {
  if (trials.empty()) {
    return;
  }
  Transaction transaction(database_);
  write_rows(trials);
  transaction.commit();
}

void TrialStore::retry(std::span<const Trial> trials) {
  Transaction transaction(database_);
  Statement keep(database_,
                 "INSERT INTO retries (trial, error, seconds, began, ended, host, attempts, told) "
                 "SELECT id, error, seconds, began, ended, host, attempts, ? FROM trials "
                 "WHERE id = ?");
  for (const Trial& trial : trials) {
    keep.with(int64_t{trial.told_failed}, trial.proposal.id).run();
  }
  write_rows(trials);
  transaction.commit();
}

void TrialStore::write_rows(std::span<const Trial> trials) {
  for (const Trial& trial : trials) {
    const Proposal& proposal = trial.proposal;
    const Evaluation& evaluation = trial.evaluation;
    write_
        .with(proposal.id, Json(evaluation.status).get<std::string>(),
              choices_to_json(proposal.architecture, mutables_).dump(), proposal.epochs,
              proposal.continues, Json(evaluation.objectives).dump(),
              Json(evaluation.metrics).dump(), Json(evaluation.intermediate).dump(),
              evaluation.error, trial.seconds, trial.began, trial.ended, trial.host, trial.log,
              trial.n_attempts, trial.seed, trial.n_told, trial.job, Json(trial.floors).dump(),
              hex(proposal.architecture.hash()))
        .run();
  }
}

void TrialStore::begin_run(const ManagerRun& run) {
  Transaction transaction(database_);
  Statement(database_, "INSERT INTO runs VALUES (NULL, ?, 0, ?, ?, ?, ?, ?, ?, '')")
      .with(run.began, run.host, run.process, run.concurrency, run.merge, run.max_trials,
            run.max_duration)
      .run();
  Statement last(database_, "SELECT max(id) FROM runs");
  last.next();
  run_ = last.integer(0);
  transaction.commit();
}

void TrialStore::update_run(double seconds, const std::string& ending) {
  update_run_.with(seconds, ending, run_).run();
}

double TrialStore::seconds() const {
  Statement sum(database_, "SELECT total(seconds) FROM runs");
  sum.next();
  return sum.number(0);
}

ListedTrials list_trials(const std::filesystem::path& folder) {
  const std::filesystem::path path = store_path(folder);
  TORCH_CHECK(std::filesystem::exists(path), path.string(),
              ": cannot be read: give the folder of a `retia explore --out`");
  Database database(path, DatabaseAccess::Read);
  TORCH_CHECK(!database.is_empty(), path.string(), " holds no trials yet");
  check_format(database);
  ListedTrials all;
  all.space = meta(database, "space");
  all.objectives = objectives_in(database);
  const std::map<int64_t, std::vector<std::string>> failures = failures_in(database);
  Statement rows = all_trials(database);
  while (rows.next()) {
    Json trial = read_row(path, rows, [&] { return listed(rows); });
    const auto failed = failures.find(rows.integer(kId));
    trial["failures"] = failed == failures.end() ? Json::array() : Json(failed->second);
    all.trials.push_back(std::move(trial));
  }
  Statement runs(database,
                 "SELECT began, seconds, host, process, concurrency, merge, max_trials, "
                 "max_duration, ending FROM runs ORDER BY id");
  while (runs.next()) {
    all.runs.push_back({{"began", runs.number(0)},
                        {"seconds", runs.number(1)},
                        {"host", runs.text(2)},
                        {"process", runs.integer(3)},
                        {"concurrency", runs.integer(4)},
                        {"merge", runs.integer(5)},
                        {"max_trials", runs.integer(6)},
                        {"max_duration", runs.number(7)},
                        {"ending", runs.text(8)}});
  }
  return all;
}

std::filesystem::path store_path(const std::filesystem::path& folder) {
  return folder / "experiment.sqlite";
}

}  // namespace retia
