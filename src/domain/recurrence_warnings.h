#pragma once

#include <string>
#include <vector>

#include "domain/recurrence_rule.h"

namespace todo::domain {

/// Says in whole sentences which months or years `rule` leaves out because they lack a day that it
/// names. `rule` must name its days itself (RecurrencePattern::rule()).
std::vector<std::string> WarnOfMissingDays(const RecurrenceRule& rule);

}  // namespace todo::domain
