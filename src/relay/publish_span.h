#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "ports/event_publisher.h"
#include "util/span.h"

namespace todo::relay {

/// The span of one publish: a part of the trace of the only event, else a trace of its own that has
/// the events as its links. Shared, because the function that ends it is copied.
std::shared_ptr<util::Span> PublishSpan(std::string_view topic,
                                        const std::vector<ports::OutgoingEvent>& events);

}  // namespace todo::relay
