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

/// One statement of SQL, compiled once and run as often as wanted. Parameters and columns count
/// from 0. One whose rows were not all read keeps its snapshot of the database until it is run
/// again or destroyed.
class Statement {
 public:
  Statement(Database& database, const char* sql);

  /// Begins anew with these values for its parameters: integers, numbers, texts, optional integers.
  template <class... Values>
  Statement& with(const Values&... values) {
    reset();
    int parameter = 0;
    (bind(parameter++, values), ...);
    return *this;
  }

  /// Goes to the next row; false: there is none.
  bool next();
  /// Runs one that gives no rows.
  void run();

  int64_t integer(int column) const;
  std::optional<int64_t> optional_integer(int column) const;
  double number(int column) const;
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

enum class DatabaseAccess { Write, Read };

/// An SQLite database in a file, which one process writes and any number read meanwhile (its
/// journal is a write-ahead log). A committed transaction survives this process, and the machine a
/// moment later. Every error is one line that names the file. Of one thread.
class Database {
 public:
  /// Write: makes the file where there is none. Read: it must be there; its folder may be
  /// read-only.
  Database(std::filesystem::path path, DatabaseAccess access);

  /// Runs statements without parameters.
  void execute(const char* sql);

  bool has_table(const char* name);
  bool is_empty();

  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Statement;

  void open(const std::string& name, int flags);
  int try_to_read();
  /// Throws unless `code` is SQLite's for success.
  void check(int code);
  [[noreturn]] void fail(int code);

  struct Close {
    void operator()(sqlite3* connection) const;
  };
  std::filesystem::path path_;
  DatabaseAccess access_;
  std::unique_ptr<sqlite3, Close> connection_;
};

/// All that is written while it lives, or nothing: undone unless it was committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database* database_;
};

}  // namespace retia
