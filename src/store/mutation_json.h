#pragma once

#include <string>

#include "ports/task_store.h"
#include "store/task_columns.h"

// Inside the room only: mutations in the JSON that the database's functions take.

namespace todo::store {

/// The patch of apply_change: the columns that the mutation sets.
Patch PatchOf(const ports::Mutation& mutation);
/// The changes that apply_changes takes: one for each mutation.
Patch ChangesOf(const ports::MutationList& list);
/// The changes that apply_to_series takes: the first has the request id.
Patch ChangesOf(const ports::SeriesMutation& mutation);

/// Its text. Bytes that are not UTF-8 are replaced.
std::string Dump(const Patch& patch);

}  // namespace todo::store
