#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>

namespace todo::edge {

/// A connection, as far as the places are concerned.
class Guest {
 public:
  enum class Standing {
    kIdle,  // waits for a request
    kSlow,  // waits for the client to send a body or to read an answer, or perhaps for nobody
    kBusy,  // the handler works
  };

  Guest() = default;
  virtual ~Guest() = default;
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  virtual Standing standing() const = 0;
  /// Whether the handler has accepted a request on this connection.
  virtual bool proven() const = 0;
  /// Since when it waits; for kSlow, since its body or its unread answer began: a byte now and then
  /// must not make a connection worth more. Nor may pages for everybody: for a guest that is not
  /// proven, since when it is open.
  virtual std::chrono::steady_clock::time_point since() const = 0;
  /// Of answers.
  virtual std::size_t unsent_bytes() const = 0;
  /// Closes the connection and gives its place back, before it returns.
  virtual void Leave() = 0;

  // When the server stops:

  /// Takes no further work: leaves now, or when the work in progress is done.
  virtual void FinishSoon() = 0;
  /// Whether Leave would cut work off.
  virtual bool IsAtWork() const = 0;
};

/// The places for connections of one server. Connections that nobody uses cannot lock others out:
/// when no place is left, one of them makes room. A quarter of the places is for newcomers, which
/// are those without an accepted request: when they have more, one of them goes. Else an idle one
/// goes, or one whose client is sending a body or reading an answer; among equals the
/// one that has waited the longest. A connection whose handler works never goes. Thread safety:
/// none, the server's thread only.
class Places {
 public:
  /// `max_per_peer`: of one IP address; 0: no such bound.
  Places(int max, int max_per_peer) : max_(max), max_per_peer_(max_per_peer) {}

  /// A place for `guest`, a connection of `peer`. False: all are in use.
  bool Take(Guest& guest, const std::string& peer);
  /// Harmless if the guest has none.
  void Give(Guest& guest);
  /// Gives the place of `from` to `to`, which has none: they are the same connection.
  void Pass(Guest& from, Guest& to);

  /// Asks the guest that is needed the least to leave. False: all are needed.
  bool FreeOne();
  /// Asks the guest with the most unsent bytes to leave, first among those that have waited for
  /// their reader for a second. False: no guest has any.
  bool FreeUnsent();

  int count() const { return static_cast<int>(guests_.size()); }
  /// Calls `visit` for each guest, which may leave.
  void ForEach(const std::function<void(Guest&)>& visit);

 private:
  using Filter = std::function<bool(const Guest&, const std::string& peer)>;
  bool Free(const Filter& filter);

  const int max_;
  const int max_per_peer_;
  std::unordered_map<Guest*, std::string> guests_;  // with the peer
  std::map<std::string, int> count_of_peer_;
};

}  // namespace todo::edge
