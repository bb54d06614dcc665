#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "domain/recurrence/recurrence_rule.h"
#include "domain/wording.h"

namespace todo::chat {

/// A recurrence rule in words: "every day", "every 2 weeks on Monday and Friday", "every month on
/// the last Friday, until Thursday, 31 December 2026", "every year on 15 April, 10 times". Every
/// part of the rule is named, except for the first day of the week. `time_of_day` is that of the
/// first date: "every Monday at 09:00", or "… at 9 am" if
/// `wording` has 12 hours; nullopt: it is known, or the dates are days. A pure function.
std::string RuleInWords(const domain::RecurrenceRule& rule, const domain::Wording& wording,
                        std::optional<std::chrono::seconds> time_of_day = std::nullopt);

}  // namespace todo::chat
