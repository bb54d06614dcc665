#pragma once

#include <optional>

#include "domain/ids.h"

namespace google::protobuf {
class Any;
}

namespace todo::appcallback {

/// The task of a reminder job, from the job's data: JSON with `task_id`, in any of the forms that
/// the sidecar uses (an Any of Value, Struct, StringValue or BytesValue, or the bare JSON).
/// nullopt: the data name no task.
std::optional<domain::TaskId> TaskOfJobData(const google::protobuf::Any& data);

}  // namespace todo::appcallback
