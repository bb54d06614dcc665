#include "app/make_token.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>

#include "app/config/setting.h"
#include "auth/token_signer.h"
#include "domain/task/task.h"
#include "util/status.h"

namespace todo::app {
namespace {

using auth::TokenSigner;
using std::chrono::milliseconds;

constexpr char kHelp[] =
    "todo-service make-token: keys and tokens without an identity provider\n\n"
    "  make-token --new-key=FILE [--type=ec|ed25519|rsa]\n"
    "      makes a private key (default: ec) in a new file that only its owner can read, and "
    "prints\n"
    "      its public half for --auth-jwks-file\n"
    "  make-token --key=FILE --print-jwks\n"
    "      prints the public half of a private key (PEM or JWK)\n"
    "  make-token --key=FILE --user=ID [--for=8h] [--operator] [--issuer=NAME] "
    "[--audience=NAME]\n"
    "      prints a token for a user. --for: how long it counts, default 1h. --operator: the user "
    "is\n"
    "      an operator. Default issuer: todo-local; default audience: todo-service\n\n"
    "The service accepts such tokens when it is started with\n"
    "  --auth-issuer=todo-local --auth-jwks-file=FILE\n";

constexpr milliseconds kMaxLife = std::chrono::hours(24) * 366;

/// The flags that the command knows; those without a value are in the second list.
constexpr std::array kFlags = {"new-key", "type", "key", "user", "for", "issuer", "audience"};
constexpr std::array kSwitches = {"print-jwks", "operator", "help"};

using Flags = std::map<std::string, std::string, std::less<>>;

absl::Status Wrong(std::string_view why) {
  return util::MakeStatus(absl::StatusCode::kInvalidArgument, why);
}

absl::StatusOr<Flags> ReadFlags(const std::vector<std::string>& arguments) {
  Flags flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view text = arguments[i];
    if (!text.starts_with("--")) return Wrong(fmt::format("{} is not expected", Quoted(text)));
    text.remove_prefix(2);
    const std::size_t equals = text.find('=');
    const std::string name(text.substr(0, equals));
    const bool has_value = equals != std::string_view::npos;
    if (std::ranges::find(kSwitches, name) != kSwitches.end()) {
      if (has_value) return Wrong(fmt::format("--{} takes no value", name));
      flags[name] = "true";
    } else if (std::ranges::find(kFlags, name) == kFlags.end()) {
      return Wrong(fmt::format("--{} is unknown", name));
    } else if (has_value) {
      flags[name] = text.substr(equals + 1);
    } else if (i + 1 < arguments.size() && !arguments[i + 1].starts_with("--")) {
      flags[name] = arguments[++i];
    } else {
      return Wrong(fmt::format("--{} needs a value", name));
    }
    if (flags[name].empty()) return Wrong(fmt::format("--{} must not be empty", name));
  }
  return flags;
}

std::string ValueOf(const Flags& flags, std::string_view name, std::string_view otherwise) {
  const auto found = flags.find(name);
  return std::string(found == flags.end() ? otherwise : std::string_view(found->second));
}

absl::Status FileFailure(const std::string& path, const char* what) {
  return util::MakeStatus(absl::StatusCode::kUnavailable,
                          fmt::format("{} {}: {}", path, what,
                                      std::error_code(errno, std::generic_category()).message()));
}

/// Writes a new file for its owner's eyes only.
absl::Status WritePrivate(const std::string& path, const std::string& content) {
  constexpr mode_t kOwnerOnly = 0600;
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
  if (file < 0) return FileFailure(path, "cannot be made");
  const ssize_t written = write(file, content.data(), content.size());
  const bool whole = written == static_cast<ssize_t>(content.size());
  if (close(file) == 0 && whole) return absl::OkStatus();
  absl::Status failure = FileFailure(path, "cannot be written");
  unlink(path.c_str());
  return failure;
}

std::string JwksOf(const TokenSigner& signer) {
  const nlohmann::json set = {{"keys", nlohmann::json::array({signer.PublicJwk()})}};
  return set.dump() + "\n";
}

absl::StatusOr<TokenSigner> ReadKey(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return FileFailure(path, "cannot be opened");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  absl::StatusOr<TokenSigner> signer = TokenSigner::Read(text);
  if (!signer.ok()) return util::Annotate(signer.status(), path);
  return signer;
}

absl::StatusOr<std::string> NewKey(const Flags& flags) {
  if (flags.contains("key") || flags.contains("user"))
    return Wrong("--new-key goes alone, or with --type: make tokens with --key afterwards");
  const std::string type = ValueOf(flags, "type", "ec");
  constexpr std::array<std::pair<std::string_view, TokenSigner::Kind>, 3> kTypes = {
      {{"ec", TokenSigner::Kind::kEcP256},
       {"ed25519", TokenSigner::Kind::kEd25519},
       {"rsa", TokenSigner::Kind::kRsa}}};
  const auto* const known =
      std::ranges::find(kTypes, type, &std::pair<std::string_view, TokenSigner::Kind>::first);
  if (known == kTypes.end()) return Wrong("--type must be ec, ed25519 or rsa");
  const TokenSigner signer = TokenSigner::Generate(known->second);
  TODO_RETURN_IF_ERROR(WritePrivate(flags.at("new-key"), signer.Pem()));
  return JwksOf(signer);
}

absl::StatusOr<std::string> NewToken(const Flags& flags, const ports::Clock& clock) {
  const auto user = flags.find("user");
  if (user == flags.end()) return Wrong("--user is missing: whom is the token for?");
  TODO_RETURN_IF_ERROR(domain::CheckUserId(user->second));
  const std::optional<milliseconds> life = ParseDuration(ValueOf(flags, "for", "1h"));
  if (!life || *life < std::chrono::seconds(1) || *life > kMaxLife)
    return Wrong("--for must be a duration with its unit (s, m, h) from 1s to 8784h");
  TODO_ASSIGN_OR_RETURN(const TokenSigner signer, ReadKey(flags.at("key")));
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.Now());
  const auto end = now + std::chrono::floor<std::chrono::seconds>(*life);
  nlohmann::json claims = {{"iss", ValueOf(flags, "issuer", "todo-local")},
                           {"aud", ValueOf(flags, "audience", "todo-service")},
                           {"sub", user->second},
                           {"iat", now.time_since_epoch().count()},
                           {"exp", end.time_since_epoch().count()}};
  if (flags.contains("operator")) claims["roles"] = {"todo-operator"};
  return signer.Sign(claims) + "\n";
}

absl::StatusOr<std::string> Answer(const std::vector<std::string>& arguments,
                                   const ports::Clock& clock) {
  TODO_ASSIGN_OR_RETURN(const Flags flags, ReadFlags(arguments));
  if (flags.contains("help")) return std::string(kHelp);
  if (flags.contains("new-key")) return NewKey(flags);
  if (!flags.contains("key")) return Wrong("--key or --new-key is missing");
  if (flags.contains("print-jwks")) {
    TODO_ASSIGN_OR_RETURN(const TokenSigner signer, ReadKey(flags.at("key")));
    return JwksOf(signer);
  }
  return NewToken(flags, clock);
}

}  // namespace

CommandResult MakeToken(const std::vector<std::string>& arguments, const ports::Clock& clock) {
  absl::StatusOr<std::string> answer = Answer(arguments, clock);
  if (answer.ok()) return {.exit_code = 0, .output = *std::move(answer), .errors = {}};
  const bool usage = absl::IsInvalidArgument(answer.status());
  return {.exit_code = usage ? 2 : 1,
          .output = {},
          .errors = fmt::format("make-token: {}{}\n", util::FromAbsl(answer.status().message()),
                                usage ? "; see make-token --help" : "")};
}

}  // namespace todo::app
