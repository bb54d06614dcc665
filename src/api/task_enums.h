#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/request_parts.h"
#include "domain/task/task.h"
#include "google/protobuf/generated_enum_reflection.h"
#include "service/tasks/task_service.h"
#include "todo/v1/todo_service.pb.h"

// The enums of tasks, as pairs of a value of the domain and its value in the API.

namespace todo::api {

template <typename Domain, typename Proto>
struct EnumTable {
  std::vector<std::pair<Domain, Proto>> pairs;

  /// Precondition: the table holds `value`.
  Proto Encode(Domain value) const {
    return std::ranges::find(pairs, value, [](const auto& pair) { return pair.first; })->second;
  }
  /// nullopt for 0 (unspecified) and, with a violation, for a value that this version does not
  /// know.
  std::optional<Domain> Decode(Proto value, std::string_view field, Violations& violations) const {
    if (value == 0) return std::nullopt;
    const auto it = std::ranges::find(pairs, value, [](const auto& pair) { return pair.second; });
    if (it != pairs.end()) return it->first;
    std::string known;
    for (const auto& pair : pairs) {
      const auto* declared =
          google::protobuf::GetEnumDescriptor<Proto>()->FindValueByNumber(pair.second);
      known += fmt::format("{}{}", known.empty() ? "" : ", ", declared->name());
    }
    violations.Add(field, fmt::format("has the unknown value {}; known are {}",
                                      static_cast<int>(value), known));
    return std::nullopt;
  }
};

inline const EnumTable<domain::Priority, v1::Priority> kPriorities{
    {{domain::Priority::kLow, v1::PRIORITY_LOW},
     {domain::Priority::kMedium, v1::PRIORITY_MEDIUM},
     {domain::Priority::kHigh, v1::PRIORITY_HIGH}}};
inline const EnumTable<domain::DueKind, v1::DueKind> kDueKinds{
    {{domain::DueKind::kNone, v1::DUE_KIND_UNSPECIFIED},
     {domain::DueKind::kDate, v1::DUE_KIND_DATE},
     {domain::DueKind::kLocal, v1::DUE_KIND_LOCAL},
     {domain::DueKind::kInstant, v1::DUE_KIND_INSTANT}}};
inline const EnumTable<domain::RecurrenceBasis, v1::RecurrenceBasis> kBases{
    {{domain::RecurrenceBasis::kSchedule, v1::RECURRENCE_BASIS_SCHEDULE},
     {domain::RecurrenceBasis::kCompletion, v1::RECURRENCE_BASIS_COMPLETION}}};
inline const EnumTable<service::SeriesScope, v1::SeriesScope> kScopes{
    {{service::SeriesScope::kThis, v1::SERIES_SCOPE_THIS},
     {service::SeriesScope::kFollowing, v1::SERIES_SCOPE_FOLLOWING},
     {service::SeriesScope::kAll, v1::SERIES_SCOPE_ALL}}};

}  // namespace todo::api
