#include "retia/apps/trial_list.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace retia {
namespace {

/// The columns of text and CSV; a column for each label follows.
const std::vector<const char*> kColumns = {"trial",  "status",  "metric", "direction",
                                           "report", "seconds", "error"};

/// A value in a cell: texts plainly, nothing for null.
std::string cell(const Json& value) {
  return value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump();
}

/// The labels that any of the trials decides, in alphabetical order.
std::vector<std::string> labels_of(const std::vector<Json>& trials) {
  std::map<std::string, bool> found;
  for (const Json& trial : trials) {
    for (const auto& [label, choice] : trial.at("choices").items()) {
      found[label] = true;
    }
  }
  std::vector<std::string> labels;
  for (const auto& [label, yes] : found) {
    labels.push_back(label);
  }
  return labels;
}

/// Returns a number as it is.
Json exact(const Json& value) { return value; }

/// Returns the header and the rows. `form`: gives the form of numbers, choices left out.
std::vector<std::vector<std::string>> rows_of(const std::vector<Json>& trials,
                                              Json (*form)(const Json&)) {
  const std::vector<std::string> labels = labels_of(trials);
  std::vector<std::vector<std::string>> rows(1);
  rows[0].assign(kColumns.begin(), kColumns.end());
  rows[0].insert(rows[0].end(), labels.begin(), labels.end());
  for (const Json& trial : trials) {
    rows.emplace_back();
    for (const char* column : kColumns) {
      rows.back().push_back(cell(form(trial.at(column))));
    }
    for (const std::string& label : labels) {
      rows.back().push_back(cell(trial.at("choices").value(label, Json())));
    }
  }
  return rows;
}

std::string as_csv(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text.append(i > 0 ? "," : "").append(csv_field(row[i]));
    }
    text += '\n';
  }
  return text;
}

/// Columns as wide as their widest cell; empty ones are left out.
std::string as_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (size_t r = 1; r < rows.size(); ++r) {
    for (size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], rows[r][i].size());
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] > 0) {
        const size_t width = std::max(widths[i], rows.front()[i].size());
        line += row[i] + std::string(width - row[i].size() + 2, ' ');
      }
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

ListedTrials trials_in(const std::string& folder) { return list_trials(folder); }

Json shown(const Json& trial, const std::vector<Objective>& objectives) {
  const Json& values = trial.at("objectives");
  Json named = Json::object(), directions = Json::object();
  for (size_t i = 0; i < values.size(); ++i) {
    named[objectives.at(i).name] = values[i];
    directions[objectives.at(i).name] = objectives[i].direction;
  }
  Json all = trial;
  all["direction"] = values.empty() ? Json() : Json(objectives.front().direction);
  all["directions"] = std::move(directions);
  all["metric"] = values.empty() ? Json() : values[0];
  all["report"] = trial.at("metrics").value("report", Json());
  all["objectives"] = std::move(named);
  return all;
}

std::vector<Json> best_trials(const ListedTrials& listed, int64_t n) {
  std::vector<Json> trials;
  for (const Json& trial : listed.trials) {
    if (trial.at("status") == TrialStatus::Succeeded) {
      trials.push_back(shown(trial, listed.objectives));
    }
  }
  const auto place = [&](const Json& trial) {
    return standing(listed.objectives.front(), trial.at("metric"), trial.at("trial"));
  };
  std::sort(trials.begin(), trials.end(),
            [&](const Json& a, const Json& b) { return place(a) < place(b); });
  trials.resize(std::min(trials.size(), static_cast<size_t>(n)));
  return trials;
}

Json rounded(const Json& value) {
  if (!value.is_number_float()) {
    return value;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value.get<double>());
  return text;
}

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\n") == std::string::npos) {
    return field;
  }
  std::string text(1, '"');
  for (const char c : field) {
    text.append(c == '"' ? 2 : 1, c);
  }
  text += '"';
  return text;
}

Option format_option(std::string& format) {
  return option("format", format, Names{{"text", "json", "csv"}}, "output format");
}

std::string written(const std::vector<Json>& trials, const std::string& format) {
  if (format == "json") {
    return Json(trials).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return format == "csv" ? as_csv(rows_of(trials, exact)) : as_text(rows_of(trials, rounded));
}

}  // namespace retia
