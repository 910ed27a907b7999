#include "retia/trainers/evaluators/result_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace retia {
namespace {

// A string stands for a number that JSON lacks, until the text has been read.
constexpr std::string_view kMark = "\x01";
constexpr const char* kEscapedMark = "\\u0001";
constexpr int kDepth = 3;  // of the objects and lists in which such numbers are found

/// Returns the number that `word` is as a whole; none where it is no number.
std::optional<double> number_in(std::string_view word) {
  if (word.size() > 1 && word.front() == '+' && word[1] != '-') {
    word.remove_prefix(1);
  }
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  const bool is_whole = error == std::errc() && end == word.data() + word.size();
  return is_whole ? std::optional(value) : std::nullopt;
}

/// Returns `word`, which is outside of strings, in the spelling of JSON.
std::string spelled(std::string_view word) {
  const std::optional<double> value = number_in(word);
  if (!value || Json::accept(word)) {
    return std::string(word);
  }
  return std::isfinite(*value) ? Json(*value).dump()
                               : '"' + (kEscapedMark + std::to_string(*value)) + '"';
}

/// Returns the end of the string that begins at `begin`.
size_t end_of_string(std::string_view text, size_t begin) {
  size_t i = begin + 1;
  while (i < text.size() && text[i] != '"') {
    i += text[i] == '\\' ? 2 : 1;
  }
  return std::min(i + 1, text.size());
}

std::string in_json(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n,:[]{}\"";
  std::string json;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (text[i] == '"') {
      end = end_of_string(text, i);
      json += text.substr(i, end - i);
    } else if (kBetween.find(text[i]) != kBetween.npos) {
      json += text[i];
    } else {
      end = std::min(text.find_first_of(kBetween, i), text.size());
      json += spelled(text.substr(i, end - i));
    }
    i = end;
  }
  return json;
}

void unmark(Json& json, int depth) {
  if (json.is_string()) {
    const std::string& text = json.get_ref<const std::string&>();
    if (text.starts_with(kMark)) {
      json = number_in(std::string_view(text).substr(kMark.size())).value_or(0);
    }
  } else if (json.is_structured() && depth > 0) {
    for (Json& inner : json) {
      unmark(inner, depth - 1);
    }
  }
}

}  // namespace

Json read_result_line(const std::string& line) {
  Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    json = Json::parse(in_json(line), nullptr, /*allow_exceptions=*/false);
    unmark(json, kDepth);
  }
  return json;
}

}  // namespace retia
