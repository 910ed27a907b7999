#include "retia/engine/io/sqlite.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/engine/io/without_locks.h"

namespace retia {
namespace {

using testing::StartsWith;

int64_t n_rows(Database& database) {
  Statement count(database, "SELECT count(*) FROM t");
  count.next();
  return count.integer(0);
}

TEST(Database, KeepsValuesOfEveryKind) {
  const TemporaryFolder folder;
  Database database(folder / "a.sqlite", DatabaseAccess::Write);
  EXPECT_TRUE(database.is_empty());
  database.execute("CREATE TABLE t (a INTEGER, b REAL, c TEXT, d INTEGER)");
  EXPECT_TRUE(database.has_table("t"));
  EXPECT_FALSE(database.has_table("u"));
  Statement add(database, "INSERT INTO t VALUES (?, ?, ?, ?)");
  const std::string text("nothing\0here", 12);
  add.with(int64_t{1} << 60, 0.1, text, std::optional<int64_t>()).run();
  add.with(int64_t{-1}, 1e300, std::string(), std::optional<int64_t>(7)).run();
  Statement rows(database, "SELECT * FROM t ORDER BY b");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), int64_t{1} << 60);
  EXPECT_EQ(rows.number(1), 0.1);
  EXPECT_EQ(rows.text(2), text);
  EXPECT_EQ(rows.optional_integer(3), std::nullopt);
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.number(1), 1e300);
  EXPECT_EQ(rows.text(2), "");
  EXPECT_EQ(rows.optional_integer(3), 7);
  EXPECT_FALSE(rows.next());
}

TEST(Database, IsWrittenAndReadWithoutLocks) {
  const TemporaryFolder folder;
  {
    Database before(folder / "a.sqlite", DatabaseAccess::Write);
    before.execute("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)");
  }
  expect_without_locks([&] {
    Database database(folder / "a.sqlite", DatabaseAccess::Write);
    database.execute("INSERT INTO t VALUES (2)");
    Database reader(folder / "a.sqlite", DatabaseAccess::Read);
    return n_rows(database) == 2 && n_rows(reader) == 2;
  });
  Database database(folder / "a.sqlite", DatabaseAccess::Write);
  EXPECT_EQ(n_rows(database), 2);
}

TEST(Database, UndoesWhatWasNotCommitted) {
  const TemporaryFolder folder;
  Database database(folder / "a.sqlite", DatabaseAccess::Write);
  database.execute("CREATE TABLE t (a INTEGER)");
  try {
    Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1)");
    throw std::runtime_error("in the middle");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(n_rows(database), 0);
  Transaction transaction(database);
  database.execute("INSERT INTO t VALUES (1)");
  transaction.commit();
  EXPECT_EQ(n_rows(database), 1);
}

TEST(Database, ShowsReadersWhatWasCommitted) {
  const TemporaryFolder folder;
  Database writer(folder / "a.sqlite", DatabaseAccess::Write);
  writer.execute("CREATE TABLE t (a INTEGER)");
  Database reader(folder / "a.sqlite", DatabaseAccess::Read);
  Transaction transaction(writer);
  writer.execute("INSERT INTO t VALUES (1)");
  EXPECT_EQ(n_rows(reader), 0);
  transaction.commit();
  EXPECT_EQ(n_rows(reader), 1);
  EXPECT_THAT(error_of([&] { reader.execute("INSERT INTO t VALUES (2)"); }),
              StartsWith((folder / "a.sqlite").string() + ": cannot be read: "));
}

TEST(Database, NamesTheFileInItsErrors) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { Database(folder / "no/a.sqlite", DatabaseAccess::Write); }),
            (folder / "no/a.sqlite").string() +
                ": cannot be written: unable to open database file (No such file or directory)");
  EXPECT_EQ(error_of([&] { Database(folder / "a.sqlite", DatabaseAccess::Read); }),
            (folder / "a.sqlite").string() +
                ": cannot be read: unable to open database file "
                "(No such file or directory)");
}

}  // namespace
}  // namespace retia
