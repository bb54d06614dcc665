#pragma once

#include <string>
#include <vector>

#include "domain/recurrence/recurrence_pattern.h"

namespace todo::domain {

/// Whole sentences that say which months or years the series of `pattern` leaves out, or fills less
/// than others, because they lack a day or a week that the rule names. Every sentence holds for all
/// months or years from that of the start to that of `end`, the end of the series: each one is
/// checked, which costs milliseconds.
std::vector<std::string> WarnOfMissingDays(const RecurrencePattern& pattern, LocalSeconds end);

}  // namespace todo::domain
