#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "support/fake_database.h"

namespace todo::support {

/// FakeDatabase::Write for work with a value: answers the result of `work`.
template <typename T>
absl::StatusOr<T> Write(FakeDatabase& database,
                        const std::function<absl::StatusOr<T>(FakeDatabase::Tables&)>& work) {
  absl::StatusOr<T> answer = absl::InternalError("not run");
  const absl::Status status = database.Write([&](FakeDatabase::Tables& tables) {
    answer = work(tables);
    return answer.status();
  });
  if (!status.ok()) return status;
  return answer;
}

}  // namespace todo::support
