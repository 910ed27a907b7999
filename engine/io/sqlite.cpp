#include "retia/engine/io/sqlite.h"

#include <c10/util/Exception.h>
#include <sqlite3.h>

#include <cerrno>

#include "retia/engine/io/failed_write.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/lock_file.h"

namespace retia {
namespace {

constexpr int kPatience = 10'000;  // milliseconds, for another process's lock

/// Returns `path` as an SQLite URI of an immutable file.
std::string immutable(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#') {
      char code[4];
      std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(c));
      uri += code;
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Database::Database(std::filesystem::path path, DatabaseAccess access)
    : path_(std::move(path)), access_(access) {
  if (access_ == DatabaseAccess::Write) {
    open_for_writing();
    return;
  }
  if (!has_locks(path_)) {
    open(immutable(path_), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    return;
  }
  // Opened for writing, where that is allowed, so that a log that a killed process left is tidied
  // up; nothing in it changes.
  open(path_.string(), SQLITE_OPEN_READWRITE);
  execute("PRAGMA query_only = ON");
  if (const int code = try_to_read(); code == SQLITE_CANTOPEN || code == SQLITE_READONLY) {
    // There is no room for the log's index: a folder that is read-only.
    const std::filesystem::path log = path_.string() + "-wal";
    TORCH_CHECK(!std::filesystem::exists(log) || std::filesystem::file_size(log) == 0,
                path_.string(), ": cannot be read while its folder is read-only, for ",
                log.filename().string(), " holds a part of it: copy both to another folder");
    open(immutable(path_), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  } else {
    check(code);
  }
}

void Database::open_for_writing() {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  open(path_.string(), kFlags);
  if (has_locks(path_)) {
    // Folding the log in waits for the disk: not oftener than each 16 MiB.
    execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4096");
    return;
  }
  open(path_.string(), kFlags, "unix-none");
  execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; "
      "PRAGMA synchronous = NORMAL");
}

/// `locking`: the name of SQLite's file system layer; null: its default.
void Database::open(const std::string& name, int flags, const char* locking) {
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, locking);
  connection_.reset(connection);
  check(code);
  check(sqlite3_busy_timeout(connection, kPatience));
}

int Database::try_to_read() {
  return sqlite3_exec(connection_.get(), "SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr,
                      nullptr);
}

void Database::execute(const char* sql) {
  check(sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr));
}

bool Database::has_table(const char* name) {
  return Statement(*this, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
      .with(std::string_view(name))
      .next();
}

bool Database::is_empty() { return !Statement(*this, "SELECT 1 FROM sqlite_schema").next(); }

void Database::check(int code) {
  if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) {
    fail(code);
  }
}

void Database::fail(int code) {
  const std::string reason =
      connection_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection_.get());
  switch (code & 0xff) {  // what an extended code is a case of
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      TORCH_CHECK(false, path_.string(), ": is damaged: ", reason);
    case SQLITE_BUSY:
      TORCH_CHECK(false, path_.string(), ": is held by another process: ", reason);
    case SQLITE_FULL:
      TORCH_CHECK(false, path_.string(), ": cannot be written: ", reason_and_remedy(ENOSPC));
    default:
      const int cause = connection_ == nullptr ? 0 : sqlite3_system_errno(connection_.get());
      TORCH_CHECK(false, path_.string(), ": cannot be ",
                  access_ == DatabaseAccess::Write ? "written: " : "read: ", reason,
                  cause == 0 ? "" : " (" + reason_and_remedy(cause) + ")");
  }
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(Database& database, const char* sql) : database_(&database) {
  sqlite3_stmt* statement = nullptr;
  database.check(sqlite3_prepare_v2(database.connection_.get(), sql, -1, &statement, nullptr));
  statement_.reset(statement);
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

bool Statement::next() {
  const int code = sqlite3_step(statement_.get());
  database_->check(code);
  return code == SQLITE_ROW;
}

void Statement::run() {
  next();
  reset();
}

void Statement::bind(int parameter, int64_t value) {
  database_->check(sqlite3_bind_int64(statement_.get(), parameter + 1, value));
}

void Statement::bind(int parameter, std::optional<int64_t> value) {
  database_->check(value ? sqlite3_bind_int64(statement_.get(), parameter + 1, *value)
                         : sqlite3_bind_null(statement_.get(), parameter + 1));
}

void Statement::bind(int parameter, double value) {
  database_->check(sqlite3_bind_double(statement_.get(), parameter + 1, value));
}

void Statement::bind(int parameter, std::string_view value) {
  database_->check(sqlite3_bind_text64(statement_.get(), parameter + 1, value.data(), value.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8));
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::optional<int64_t> Statement::optional_integer(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL
             ? std::nullopt
             : std::optional(integer(column));
}

double Statement::number(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string() : std::string(bytes, size);
}

Transaction::Transaction(Database& database) : database_(&database) {
  database.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (database_ != nullptr) {
    try {
      database_->execute("ROLLBACK");
    } catch (const std::exception&) {
      // SQLite has undone it already, as after a full disk.
    }
  }
}

void Transaction::commit() {
  database_->execute("COMMIT");
  database_ = nullptr;
}

}  // namespace retia
