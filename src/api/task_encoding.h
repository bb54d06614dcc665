#pragma once

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/recurrence/series_preview.h"
#include "domain/task/task.h"
#include "domain/wording.h"
#include "todo/v1/todo_service.pb.h"

// Tasks, changes and previews, from the domain's types to the messages of the API. All are pure
// functions.

namespace todo::api {

v1::Task EncodeTask(const domain::Task& task);
/// A deleted task may have no state: then `task` is not set. kInternal: the change log holds a task
/// that cannot be read.
absl::StatusOr<v1::Change> EncodeChange(const domain::Change& change);
v1::PreviewRecurrenceResponse EncodePreview(const domain::SeriesPreview& preview,
                                            v1::RecurrenceBasis basis,
                                            const domain::Wording& wording);

}  // namespace todo::api
