#include "retia/engine/io/event_file.h"

#include <boost/crc.hpp>
#include <cstring>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

/// The messages of a file whose checksums are checked; a wrong one is a failure.
std::vector<std::string> records_of(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  std::vector<std::string> records;
  const auto expect_crc = [&](size_t from, size_t n) {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    crc.process_bytes(bytes.data() + from, n);
    const uint32_t rotated = (crc.checksum() >> 15) | (crc.checksum() << 17);
    uint32_t found = 0;
    std::memcpy(&found, bytes.data() + from + n, sizeof found);
    EXPECT_EQ(found, rotated + 0xa282ead8U);
  };
  for (size_t at = 0; at < bytes.size();) {
    uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, sizeof length);
    expect_crc(at, 8);
    expect_crc(at + 12, length);
    records.push_back(bytes.substr(at + 12, length));
    at += 16 + length;
  }
  return records;
}

TEST(EventFile, WritesRecordsWithLengthAndChecksums) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "events.out.tfevents.test";
  {
    EventFile events(path);
    events.write({.step = 3, .scalars = {{"loss", 0.5}}});
  }
  EventFile(path).write({.step = 4, .histograms = {{"p", {0.1, 0.2}}}});
  const std::vector<std::string> records = records_of(path);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_NE(records[0].find("brain.Event:2"), std::string::npos);
  // Of Event: step (2, varint) 3, summary (5) {value (1) {tag (1) "loss", simple_value (2) 0.5}}.
  const std::string scalar("\x10\x03\x2a\x0d\x0a\x0b\x0a\x04loss\x15\x00\x00\x00\x3f", 17);
  EXPECT_EQ(records[1].substr(9), scalar);  // after wall_time (1, double)
}

TEST(EventFile, GoesBackToAStoredPosition) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "events.out.tfevents.test";
  EventFile events(path);
  events.write({.step = 1, .scalars = {{"loss", 1}}});
  const int64_t position = events.position();
  events.write({.step = 2, .heat_maps = {{"p", {{{0, 1}, {0.5}}}}}});
  EXPECT_EQ(records_of(path).size(), 3u);
  events.rewind(position);
  EXPECT_EQ(records_of(path).size(), 2u);
  events.rewind(0);
  EXPECT_EQ(records_of(path).size(), 1u);
  EXPECT_THROW(events.rewind(position), std::runtime_error);
}

}  // namespace
}  // namespace retia
