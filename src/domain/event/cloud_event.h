#pragma once

#include <string_view>

#include "domain/event/json_values.h"

// Inside this folder only: from the bytes of a record to the JSON in it. The functions throw a
// Violation, as those of json_values.h do.

namespace todo::domain {

/// The JSON in `text`, of at most 1 MiB and 64 levels; `what` names the text.
Json ParseJson(std::string_view text, std::string_view what);

/// The CloudEvent in `record`, whose `data` is an object; `what` names what it should carry.
Json ReadCloudEvent(std::string_view record, std::string_view what);

}  // namespace todo::domain
