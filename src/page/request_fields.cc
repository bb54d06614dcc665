#include "page/request_fields.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace todo::page {
namespace {

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Takes the part up to `separator` from the front of `text`, without the spaces around it.
std::string_view TakePart(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = Trimmed(text.substr(0, end));
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

bool IsSame(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
}

/// Whether the parameters of a coding contain a weight of 0.
bool IsExcluded(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = TakePart(parameters, ';');
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    return parameter.substr(2).find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

}  // namespace

bool AcceptsGzip(const std::vector<std::string>& values) {
  std::optional<bool> any;
  for (std::string_view list : values) {
    while (!list.empty()) {
      std::string_view coding = TakePart(list, ',');
      const std::string_view name = TakePart(coding, ';');
      if (IsSame(name, "gzip")) return !IsExcluded(coding);
      if (name == "*") any = !IsExcluded(coding);
    }
  }
  return any.value_or(false);
}

bool NamesTag(const std::vector<std::string>& values, std::string_view etag) {
  const auto without_mark = [](std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
  };
  for (std::string_view list : values) {
    while (!list.empty()) {
      const std::string_view tag = TakePart(list, ',');
      if (tag == "*" || (!tag.empty() && without_mark(tag) == without_mark(etag))) return true;
    }
  }
  return false;
}

}  // namespace todo::page
