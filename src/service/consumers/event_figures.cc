#include "service/consumers/event_figures.h"

namespace todo::service {
namespace {

constexpr std::array<double, 12> kBounds = {0.01, 0.025, 0.05, 0.1,  0.25, 0.5,
                                            1.0,  2.5,   5.0,  15.0, 60.0, 300.0};
/// In the order of EventResult.
constexpr std::array<std::string_view, 5> kNames = {"applied", "repeated", "failed", "waiting",
                                                    "dead"};

}  // namespace

EventFigures::Counts::Counts() : lag(kBounds) {}

EventFigures::EventFigures(const std::vector<std::string>& consumers) {
  for (const std::string& name : consumers) consumers_.emplace(name, std::make_unique<Counts>());
}

void EventFigures::Note(std::string_view consumer, EventResult result, std::size_t count) {
  const auto found = consumers_.find(consumer);
  if (found == consumers_.end()) return;
  found->second->results.at(static_cast<std::size_t>(result))
      .fetch_add(count, std::memory_order_relaxed);
}

void EventFigures::NoteApplied(std::string_view consumer,
                               const std::vector<domain::Instant>& applied, std::size_t batch_size,
                               domain::Instant now) {
  Note(consumer, EventResult::kApplied, applied.size());
  if (batch_size > applied.size())
    Note(consumer, EventResult::kRepeated, batch_size - applied.size());
  const auto found = consumers_.find(consumer);
  if (found == consumers_.end()) return;
  for (const domain::Instant at : applied) found->second->lag.Note(now - at);
}

std::map<std::string, EventFigures::Consumer> EventFigures::Read() const {
  std::map<std::string, Consumer> figures;
  for (const auto& [name, counts] : consumers_) {
    Consumer& consumer = figures[name];
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      consumer.results[std::string(kNames.at(i))] =
          counts->results.at(i).load(std::memory_order_relaxed);
    }
    consumer.lag = counts->lag.Read();
  }
  return figures;
}

}  // namespace todo::service
