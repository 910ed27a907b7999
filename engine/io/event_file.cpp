#include "retia/engine/io/event_file.h"

#include <fcntl.h>
#include <png.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "retia/engine/base/clock.h"
#include "retia/engine/io/event.pb.h"  // generated from event.proto
#include "retia/engine/io/failed_write.h"

// Nothing of LibTorch is included here: its headers carry another version of protobuf.

namespace retia {
namespace {

constexpr int kSquare = 12;  // pixels
constexpr size_t kBuckets = 30;

uint32_t masked_crc(const std::string& bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> castagnoli;
  castagnoli.process_bytes(bytes.data(), bytes.size());
  const uint32_t crc = castagnoli.checksum();
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

/// The bytes of a number, the least significant first.
template <class Number>
std::string bytes_of(Number number) {
  std::string bytes;
  for (size_t i = 0; i < sizeof number; ++i) {
    bytes += static_cast<char>(number >> (8 * i));
  }
  return bytes;
}

/// Buckets of one width from the least to the greatest value.
void fill(events::Histogram& histogram, const std::vector<double>& values) {
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  const double low = *least, high = *greatest;
  const double width = high > low ? (high - low) / static_cast<double>(kBuckets) : 1;
  std::vector<double> counts(high > low ? kBuckets : 1);
  for (const double value : values) {
    const auto bucket = static_cast<size_t>((value - low) / width);
    ++counts[std::min(bucket, counts.size() - 1)];
    histogram.set_sum(histogram.sum() + value);
    histogram.set_sum_squares(histogram.sum_squares() + value * value);
  }
  histogram.set_min(low);
  histogram.set_max(high);
  histogram.set_num(static_cast<double>(values.size()));
  for (size_t i = 0; i < counts.size(); ++i) {
    histogram.add_bucket_limit(i + 1 == counts.size() ? high
                                                      : low + width * static_cast<double>(i + 1));
    histogram.add_bucket(counts[i]);
  }
}

/// Red, green and blue of a number: 0 is white, 1 dark blue.
void paint(png_byte* pixel, double value) {
  constexpr double kDarkest[] = {8, 48, 107};
  const double part = std::clamp(value, 0.0, 1.0);
  for (int c = 0; c < 3; ++c) {
    pixel[c] = static_cast<png_byte>(std::lround(255 - part * (255 - kDarkest[c])));
  }
}

void fill(events::Summary::Image& image, const HeatMap& map) {
  size_t n_columns = 0;
  for (const auto& row : map.rows) {
    n_columns = std::max(n_columns, row.size());
  }
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  header.format = PNG_FORMAT_RGB;
  header.width = static_cast<png_uint_32>(n_columns) * kSquare;
  header.height = static_cast<png_uint_32>(map.rows.size()) * kSquare;
  std::vector<png_byte> pixels(PNG_IMAGE_SIZE(header), 200);
  for (size_t y = 0; y < header.height; ++y) {
    const std::vector<double>& row = map.rows[y / kSquare];
    for (size_t x = 0; x < row.size() * kSquare; ++x) {
      paint(&pixels[(y * header.width + x) * 3], row[x / kSquare]);
    }
  }
  png_alloc_size_t n_bytes = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string encoded(n_bytes, '\0');
  if (png_image_write_to_memory(&header, encoded.data(), &n_bytes, 0, pixels.data(), 0, nullptr) ==
      0) {
    throw std::runtime_error(std::string("a heat map cannot be drawn: ") + header.message);
  }
  encoded.resize(n_bytes);
  image.set_height(static_cast<int32_t>(header.height));
  image.set_width(static_cast<int32_t>(header.width));
  image.set_colorspace(3);
  image.set_encoded_image_string(encoded);
}

}  // namespace

EventFile::EventFile(std::filesystem::path path)
    : path_(std::move(path)),
      file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  struct stat status = {};
  if (file_ < 0 || ::fstat(file_, &status) != 0) {
    throw std::runtime_error(path_.string() + ": cannot be opened: " + reason_and_remedy(errno));
  }
  if (status.st_size == 0) {
    begin();
  }
}

void EventFile::begin() {
  events::Event first;
  first.set_wall_time(utc_now());
  first.set_file_version("brain.Event:2");
  append(first.SerializeAsString());
}

EventFile::~EventFile() { ::close(file_); }

void EventFile::write(const Events& events) {
  events::Event event;
  event.set_wall_time(utc_now());
  event.set_step(events.step);
  const auto add = [&](const std::string& tag) {
    events::Summary::Value* value = event.mutable_summary()->add_value();
    value->set_tag(tag);
    return value;
  };
  for (const auto& [tag, number] : events.scalars) {
    add(tag)->set_simple_value(static_cast<float>(number));
  }
  for (const auto& [tag, values] : events.histograms) {
    fill(*add(tag)->mutable_histo(), values);
  }
  for (const auto& [tag, map] : events.heat_maps) {
    fill(*add(tag)->mutable_image(), map);
  }
  append(event.SerializeAsString());
}

void EventFile::append(const std::string& message) {
  const std::string length = bytes_of(static_cast<uint64_t>(message.size()));
  const std::string record =
      length + bytes_of(masked_crc(length)) + message + bytes_of(masked_crc(message));
  const off_t before = ::lseek(file_, 0, SEEK_END);
  const ssize_t n_written = ::write(file_, record.data(), record.size());
  if (n_written == static_cast<ssize_t>(record.size())) {
    return;
  }
  // A regular file takes a record in part only where the disk is full.
  const int failure = n_written < 0 ? errno : ENOSPC;
  const bool restored = ::ftruncate(file_, before) == 0;
  throw std::runtime_error(path_.string() + ": cannot be written: " + reason_and_remedy(failure) +
                           (restored ? "" : "; its last record is incomplete"));
}

int64_t EventFile::position() {
  if (::fdatasync(file_) != 0) {
    throw std::runtime_error(path_.string() + ": cannot be written: " + reason_and_remedy(errno));
  }
  return ::lseek(file_, 0, SEEK_END);
}

void EventFile::rewind(int64_t position) {
  const off_t n_bytes = ::lseek(file_, 0, SEEK_END);
  if (position > n_bytes) {
    throw std::runtime_error(path_.string() + ": expected at least " + std::to_string(position) +
                             " bytes, as the checkpoint says, but found " +
                             std::to_string(n_bytes) +
                             ": restore the file, or start again with another --out");
  }
  if (::ftruncate(file_, position) != 0) {
    throw std::runtime_error(path_.string() + ": cannot be cut: " + std::strerror(errno));
  }
  if (position == 0) {
    begin();
  }
}

void EventFile::copy_to(const std::filesystem::path& path) const {
  std::filesystem::copy_file("/proc/self/fd/" + std::to_string(file_), path,
                             std::filesystem::copy_options::overwrite_existing);
}

}  // namespace retia
