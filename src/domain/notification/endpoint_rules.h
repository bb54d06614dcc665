#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// The endpoints that a user may name: how many, and how they are written.

namespace todo::domain {

inline constexpr int kMaxWebhookEndpoints = 10;   // of a user
inline constexpr int kMaxPushSubscriptions = 20;  // of a user
inline constexpr std::size_t kMaxUrlBytes = 2'000;

/// The host of an http or https URL in lower case, with its port if the URL names one.
/// kInvalidArgument, with what to write instead, for a text that can work on no network: anything
/// but such a URL, a user or password in it, a host that is neither a name nor an address, an
/// invalid port, more than kMaxUrlBytes. Whether the service may connect to the host is decided
/// when it connects.
absl::StatusOr<std::string> HostOfUrl(std::string_view url);

/// Whether `text` has at most `max_bytes` and looks like left@right, both sides made of atoms with
/// dots between them (RFC 5322).
bool IsAddressLike(std::string_view text, std::size_t max_bytes);

/// kInvalidArgument for anything but an e-mail address that the service sends to: name@host in
/// plain ASCII, without quotes, comments and address literals (an RFC 5321 mailbox of dot-atoms).
absl::Status CheckMailAddress(std::string_view address);

}  // namespace todo::domain
