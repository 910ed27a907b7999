#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace retia {

class Database;

/// A compiled SQL statement, which can be run many times. Parameters and columns are counted from
/// 0. A statement whose rows were not all read holds a snapshot of the database until it is run
/// again or destroyed.
class Statement {
 public:
  /// Compiles `sql`. `database` must outlive the statement.
  Statement(Database& database, const char* sql);

  /// Restarts the statement with these parameter values: integers, numbers, texts, optional
  /// integers.
  template <class... Values>
  Statement& with(const Values&... values) {
    reset();
    int parameter = 0;
    (bind(parameter++, values), ...);
    return *this;
  }

  /// Moves to the next row; returns false where there is none.
  bool next();
  /// Runs a statement that returns no rows.
  void run();

  /// Returns a column of the current row as an integer; 0 where it is null.
  int64_t integer(int column) const;
  /// Returns a column of the current row as an integer; none where it is null.
  std::optional<int64_t> optional_integer(int column) const;
  /// Returns a column of the current row as a double; 0 where it is null.
  double number(int column) const;
  /// Returns a column of the current row as UTF-8 text; empty where it is null.
  std::string text(int column) const;

 private:
  void reset();
  void bind(int parameter, int64_t value);
  void bind(int parameter, std::optional<int64_t> value);
  void bind(int parameter, double value);
  void bind(int parameter, std::string_view value);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// The access of this process to a database; Write reads too.
enum class DatabaseAccess { Write, Read };

/// An SQLite database file, written by one process and read by any number meanwhile (journal mode:
/// write-ahead log). A committed transaction survives a crash of this process; it survives a crash
/// of the machine once the log is synced, a moment later. In a file system without locks (see
/// has_locks) there is no log: a reader may find a row half written, and says then that the file is
/// damaged. Every error is one line that names the file. For use by one thread.
class Database {
 public:
  /// Opens the database. Write: creates the file where it is missing. Read: the file must exist;
  /// its folder may be read-only.
  Database(std::filesystem::path path, DatabaseAccess access);

  /// Executes SQL statements without parameters.
  void execute(const char* sql);

  /// Returns whether the database has a table called `name`.
  bool has_table(const char* name);
  /// Returns whether the database has no table at all, like a file that was just created.
  bool is_empty();

  /// Returns the path of the file, as given to the constructor.
  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Statement;

  void open(const std::string& name, int flags, const char* locking = nullptr);
  void open_for_writing();
  int try_to_read();
  /// Throws unless `code` is an SQLite success code.
  void check(int code);
  [[noreturn]] void fail(int code);

  struct Close {
    void operator()(sqlite3* connection) const;
  };
  std::filesystem::path path_;
  DatabaseAccess access_;
  std::unique_ptr<sqlite3, Close> connection_;
};

/// A transaction: everything written while it lives is undone unless commit() is called.
class Transaction {
 public:
  /// Begins a transaction; waits up to 10 s for another process that writes.
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  /// Makes all that was written permanent; the destructor then undoes nothing.
  void commit();

 private:
  Database* database_;
};

}  // namespace retia
