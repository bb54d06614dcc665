#include "app/id_source.h"

#include <openssl/rand.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "util/log.h"

namespace todo::app {

domain::Uuid RandomIdSource::NewId() {
  constexpr std::uint32_t kMaxCounter = 0xfff;
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    // Repeated ids would lose events, so the process ends.
    util::Log(util::Severity::kError, "no_random_numbers");
    std::abort();
  }
  const auto now =
      std::chrono::floor<std::chrono::milliseconds>(clock_.Now()).time_since_epoch().count();
  Last mine;
  {
    auto last = last_.Lock();
    if (now > last->milliseconds) {
      // The counter starts in its lower half, which leaves room for counting.
      *last = {.milliseconds = now,
               .counter = (static_cast<std::uint32_t>(bytes[6]) << 8 | bytes[7]) & 0x7ffu};
    } else if (++last->counter > kMaxCounter) {
      *last = {.milliseconds = last->milliseconds + 1, .counter = 0};
    }
    mine = *last;
  }
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<unsigned char>(mine.milliseconds >> (40 - 8 * static_cast<int>(i)));
  }
  bytes[6] = static_cast<unsigned char>(mine.counter >> 8);
  bytes[7] = static_cast<unsigned char>(mine.counter);
  return domain::Uuid::FromBytes(
      std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), 7);
}

}  // namespace todo::app
