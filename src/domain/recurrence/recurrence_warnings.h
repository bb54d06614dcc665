#pragma once

#include <string>
#include <vector>

#include "domain/recurrence/recurrence_pattern.h"

namespace todo::domain {

/// Says in whole sentences which months or years the series of `pattern` leaves out, or fills less
/// than others, because they lack a day or a week that the rule names. Every sentence holds for all
/// months or years between the one of the start and the one of `end`, the series' end: each is
/// looked at, which costs milliseconds.
std::vector<std::string> WarnOfMissingDays(const RecurrencePattern& pattern, LocalSeconds end);

}  // namespace todo::domain
