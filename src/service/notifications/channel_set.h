#pragma once

#include <memory>
#include <string>
#include <utility>

#include "domain/notification/channel.h"
#include "ports/notification_senders.h"
#include "util/guarded.h"

namespace todo::service {

/// The ways out of the house that this server has. Which those are depends on secrets, so it is not
/// known until the sidecar has answered. Thread safety: may be used from many threads at once.
class ChannelSet {
 public:
  /// What is null is off.
  struct Known {
    std::shared_ptr<ports::WebhookSender> webhooks;
    std::string webhook_master_key;
    std::shared_ptr<ports::Mailer> mail;
    std::string mail_from;  // an address
    std::shared_ptr<ports::PushSender> push;
    std::string push_public_key;  // for browsers

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
  /// Null: not known yet.
  std::shared_ptr<const Known> Get() { return *known_.Lock(); }
  /// While nothing is known, what is to be sent is queued: it may turn out that it can be.
  bool MayHave(domain::Channel channel) {
    const auto known = Get();
    return known == nullptr || known->Has(channel);
  }

 private:
  util::Guarded<std::shared_ptr<const Known>> known_;
};

}  // namespace todo::service
