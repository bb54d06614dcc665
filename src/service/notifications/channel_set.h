#pragma once

#include <memory>
#include <string>
#include <utility>

#include "domain/notification/channel.h"
#include "ports/notification_senders.h"
#include "util/guarded.h"

namespace todo::service {

/// The channels of this server and their senders. Some depend on secrets, so none is known until
/// the sidecar has answered. Thread safety: all methods may be called from many threads at once.
/// None blocks.
class ChannelSet {
 public:
  /// A channel whose sender is null is off.
  struct Known {
    std::shared_ptr<ports::WebhookSender> webhooks;
    std::string webhook_master_key;
    std::shared_ptr<ports::Mailer> mail;
    std::string mail_from;  // the sender's address
    std::shared_ptr<ports::PushSender> push;
    std::string push_public_key;  // for the subscriptions of browsers

    bool Has(domain::Channel channel) const {
      switch (channel) {
        case domain::Channel::kWebhook: return webhooks != nullptr;
        case domain::Channel::kEmail: return mail != nullptr;
        case domain::Channel::kPush: return push != nullptr;
      }
      return false;
    }
  };

  void Set(Known known) { *known_.Lock() = std::make_shared<const Known>(std::move(known)); }
  /// Null until the channels are known.
  std::shared_ptr<const Known> Get() { return *known_.Lock(); }
  /// Whether deliveries of `channel` are queued: the channel is on, or the channels are not known
  /// yet.
  bool MayHave(domain::Channel channel) {
    const auto known = Get();
    return known == nullptr || known->Has(channel);
  }

 private:
  util::Guarded<std::shared_ptr<const Known>> known_;
};

}  // namespace todo::service
