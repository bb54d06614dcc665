#pragma once

#include "domain/event/bus_record.h"
#include "domain/event/event.h"

namespace todo::domain {

/// An event and the record that brought it.
struct ReceivedEvent {
  EventHeader event;
  BusRecord record;
};

}  // namespace todo::domain
