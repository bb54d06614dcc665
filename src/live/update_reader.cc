#include "live/update_reader.h"

#include <utility>

#include "absl/status/statusor.h"
#include "util/log.h"

namespace todo::live {

UpdateReader::UpdateReader(Publish publish, PassOver pass_over, SteadyClock clock)
    : publish_(std::move(publish)), pass_over_(std::move(pass_over)), clock_(std::move(clock)) {}

std::vector<absl::Status> UpdateReader::Process(const std::vector<domain::BusRecord>& records) {
  for (const domain::BusRecord& record : records) {
    if (!record.key.empty() && pass_over_({record.key})) continue;
    absl::StatusOr<domain::TaskUpdate> update = domain::ParseTaskUpdateRecord(record.bytes);
    if (update.ok()) {
      publish_(*std::move(update));
    } else {
      NoteMalformed(record, update.status());
    }
  }
  return std::vector<absl::Status>(records.size());
}

void UpdateReader::NoteMalformed(const domain::BusRecord& record, const absl::Status& status) {
  constexpr std::chrono::minutes kBetweenLogs{1};
  const auto now = clock_();
  std::uint64_t count = 0;
  {
    auto state = state_.Lock();
    count = ++state->malformed;
    if (state->logged_at && now - *state->logged_at < kBetweenLogs) return;
    state->logged_at = now;
  }
  util::Log(util::Severity::kWarning, "live_update_malformed",
            {{"topic", record.topic},
             {"partition", record.partition},
             {"offset", record.offset},
             {"malformed", count},
             {"error", status.ToString()}});
}

}  // namespace todo::live
