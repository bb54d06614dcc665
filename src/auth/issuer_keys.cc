#include "auth/issuer_keys.h"

#include <algorithm>
#include <utility>

#include "util/log.h"
#include "util/status.h"

namespace todo::auth {

using std::chrono::milliseconds;

milliseconds IssuerKeys::Refresh() {
  absl::StatusOr<std::string> text = options_.read();
  // Parsing checks every key, which takes long. The same text has the same keys.
  const bool changed = text.ok() && (*text != text_ || Current() == nullptr);
  absl::Status status = text.status();
  if (changed) {
    absl::StatusOr<KeySet> keys = KeySet::Parse(*text, options_.secrets, options_.rsa_algorithm);
    status = keys.status();
    if (keys.ok()) {
      util::Log(util::Severity::kInfo, "keys_read",
                {{"issuer", options_.issuer},
                 {"keys", keys->keys().size()},
                 {"skipped", keys->skipped_keys()}});
      const auto before = Current();
      const std::uint64_t generation = before == nullptr ? 1 : before->generation + 1;
      *current_.Lock() = std::make_shared<const Snapshot>(Snapshot{*std::move(keys), generation});
      text_ = *std::move(text);
    }
  }
  if (status.ok()) {
    failure_.clear();
    backoff_.Reset();
    return options_.refresh;
  }
  if (std::string failure = status.ToString(); failure != failure_) {
    util::Log(util::Severity::kWarning, "keys_not_read",
              {{"issuer", options_.issuer},
               {"status", failure},
               {"last_keys_stay", Current() != nullptr}});
    failure_ = std::move(failure);
  }
  return std::min(backoff_.Next(), options_.refresh);
}

void IssuerKeys::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto heard = bell_.rings();
    missed_ = false;  // after `heard`, so that no ring is missed
    const milliseconds pause = Refresh();
    bell_.Wait(stop, heard, pause, std::min(pause, options_.least_pause));
  }
}

}  // namespace todo::auth
