#include "retia/engine/io/metrics.h"

#include <signal.h>
#include <sys/resource.h>

#include <limits>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

using nlohmann::json;

namespace retia {
namespace {

TEST(MetricsWriter, WritesOneObjectALineAtOnce) {
  const TemporaryFolder folder;
  MetricsWriter metrics(folder / "metrics.jsonl");
  metrics.write({{"epoch", 1}, {"loss", 0.5}});
  EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{\"epoch\":1,\"loss\":0.5}\n");
  metrics.write({{"note", "two\nlines"}});
  EXPECT_EQ(read_file(folder / "metrics.jsonl"),
            "{\"epoch\":1,\"loss\":0.5}\n{\"note\":\"two\\nlines\"}\n");
}

TEST(MetricsWriter, PrintsNumbersThatReadBackEqual) {
  const TemporaryFolder folder;
  MetricsWriter metrics(folder / "metrics.jsonl");
  const json values = {{"a", 0.1 + 0.2},
                       {"b", std::numeric_limits<double>::denorm_min()},
                       {"c", -std::numeric_limits<double>::max()},
                       {"d", 1.0 / 3}};
  metrics.write(values);
  EXPECT_EQ(json::parse(read_file(folder / "metrics.jsonl")), values);
}

TEST(MetricsWriter, AppendsToWhatIsThere) {
  const TemporaryFolder folder;
  MetricsWriter(folder / "metrics.jsonl").write({{"a", 1}});
  MetricsWriter second(folder / "metrics.jsonl");
  second.write({{"a", 2}});
  EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(second.position(), 16);
}

TEST(MetricsWriter, EndsAsAnUninterruptedRunAfterRewinding) {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  int64_t position = -1;
  {
    MetricsWriter metrics(path);
    EXPECT_EQ(metrics.position(), 0);
    metrics.write({{"step", 1}});
    position = metrics.position();
    metrics.write({{"step", 2}, {"of", "the run that was killed"}});
  }
  MetricsWriter metrics(path);
  metrics.rewind(position);
  metrics.write({{"step", 2}});
  EXPECT_EQ(read_file(path), "{\"step\":1}\n{\"step\":2}\n");
  metrics.rewind(0);
  EXPECT_EQ(read_file(path), "");
}

TEST(MetricsWriter, RefusesAPositionThatIsNone) {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  MetricsWriter metrics(path);
  metrics.write({{"step", 1}});
  EXPECT_EQ(error_of([&] { metrics.rewind(12); }),
            path.string() +
                ": expected at least 12 bytes, as the checkpoint says, but found 11: "
                "restore the file, or start again with another --out");
  EXPECT_EQ(error_of([&] { metrics.rewind(5); }),
            path.string() +
                ": no line ends at byte 5, as the checkpoint says: restore the file, or "
                "start again with another --out");
  EXPECT_EQ(metrics.position(), 11);
}

TEST(MetricsWriter, RefusesWhatJsonCannotHold) {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  MetricsWriter metrics(path);
  EXPECT_EQ(error_of([&] {
              metrics.write({{"loss", std::numeric_limits<double>::quiet_NaN()}});
            }),
            path.string() + ": loss: expected finite numbers, but got nan");
  EXPECT_EQ(error_of([&] { metrics.write(1); }),
            path.string() + ": expected an object of metrics, but got 1");
  EXPECT_EQ(metrics.position(), 0);
}

TEST(MetricsWriter, LeavesWholeLinesWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  MetricsWriter metrics(path);
  metrics.write({{"step", 1}});
  rlimit old = {};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit limit = {20, old.rlim_max};
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
  const std::string error = error_of([&] { metrics.write({{"step", 1234567}}); });
  setrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(error, path.string() +
                       ": cannot be written: No space left on device: make room and give the "
                       "command again, that of a run with --resume");
  EXPECT_EQ(read_file(path), "{\"step\":1}\n");
}

TEST(MetricsWriter, NamesAFileThatCannotBeOpened) {
  EXPECT_EQ(error_of([] { MetricsWriter("/no/such"); }),
            "/no/such: cannot be opened: No such file or directory");
}

}  // namespace
}  // namespace retia
