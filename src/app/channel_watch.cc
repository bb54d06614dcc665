#include "app/channel_watch.h"

#include <string>
#include <utility>
#include <vector>

#include "app/channel_setup.h"
#include "util/log.h"

namespace todo::app {

ChannelWatch::Again ChannelWatch::Look() {
  absl::StatusOr<ChannelSetup> setup = SetUpChannels(settings_, secrets_, clock_);
  if (!setup.ok()) {
    if (std::string failure = setup.status().ToString(); failure != failure_) {
      util::Log(util::Severity::kWarning, "secrets_not_read", {{"status", failure}});
      failure_ = std::move(failure);
    }
    return Again::kSoon;
  }
  failure_.clear();
  if (on_ != setup->on) {
    std::vector<std::string> off;
    for (const auto& [channel, lack] : setup->off) off.push_back(channel + ": " + lack);
    util::Log(setup->off.empty() ? util::Severity::kInfo : util::Severity::kWarning,
              "notification_channels", {{"on", setup->on}, {"off", off}});
    channels_.Set(std::move(setup->channels));
    on_ = std::move(setup->on);
  }
  return setup->wants_secret ? Again::kLater : Again::kNever;
}

void ChannelWatch::Run(const std::stop_token& stop, util::Bell& delivery_bell) {
  PollSecrets(stop, [&] {
    const Again again = Look();
    if (again != Again::kSoon) delivery_bell.Ring();
    return again;
  });
}

}  // namespace todo::app
