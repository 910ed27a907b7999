#include "retia/engine/base/suggest.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace retia {
namespace {

constexpr size_t kMostNamesListed = 12;

std::string folded(std::string_view name) {
  std::string result(name);
  for (char& letter : result) {
    letter =
        letter == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return result;
}

/// Damerau-Levenshtein distance in its restricted form: insertions, deletions, substitutions, and
/// swaps of neighbours, none of them edited twice.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> distance(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        distance[i][j] = i + j;
        continue;
      }
      const size_t substitution = distance[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      distance[i][j] = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        distance[i][j] = std::min(distance[i][j], distance[i - 2][j - 2] + 1);
      }
    }
  }
  return distance[a.size()][b.size()];
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMostNamesListed); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMostNamesListed) {
    text += ", ... (" + std::to_string(names.size()) + " in all)";
  }
  return text;
}

}  // namespace

std::string suggestion(std::string_view given, const std::vector<std::string>& known) {
  if (known.empty()) {
    return "";
  }
  std::vector<std::string> names = known;
  std::sort(names.begin(), names.end());
  const std::string wanted = folded(given);
  const std::string* nearest = nullptr;
  size_t least = 0;
  for (const std::string& name : names) {
    const size_t distance = edit_distance(wanted, folded(name));
    // A third of the letters may differ: a shorter name would match anything.
    const size_t limit = std::max<size_t>(1, std::min(wanted.size(), name.size()) / 3);
    const bool shares_a_letter = distance < std::max(wanted.size(), name.size());
    if (distance <= limit && shares_a_letter && (nearest == nullptr || distance < least)) {
      nearest = &name;
      least = distance;
    }
  }
  return nearest != nullptr ? "; did you mean '" + *nearest + "'?" : "; known: " + listed(names);
}

}  // namespace retia
