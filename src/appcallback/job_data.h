#pragma once

#include <optional>

#include "domain/ids.h"

namespace google::protobuf {
class Any;
}

namespace todo::appcallback {

/// The task that a reminder job's data speaks of: JSON with `task_id`, in any of the forms in which
/// the sidecar hands data over (an Any of Value, Struct, StringValue or BytesValue, or the bare
/// JSON). nullopt: it does not say.
std::optional<domain::TaskId> TaskOfJobData(const google::protobuf::Any& data);

}  // namespace todo::appcallback
