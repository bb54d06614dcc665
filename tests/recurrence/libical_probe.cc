// libical's answers about recurrence rules, one JSON object per line on standard input and output,
// much as rrule_probe:
//   {"rule": "FREQ=DAILY", "anchor": "20261024T064500", "n": 10}
//   {"text": "FREQ=DAILY", "next": ["20261025T064500", …], "micros": 12.5}
//   {"refused": "parse"}
// Wall-clock times only: with a zone attached its iterator drifts after a gap.

#include <libical/ical.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using nlohmann::json;

json Answer(const json& question) {
  const auto begin = std::chrono::steady_clock::now();
  icalrecurrencetype rule =
      icalrecurrencetype_from_string(question.at("rule").get<std::string>().c_str());
  if (rule.freq == ICAL_NO_RECURRENCE) return {{"refused", "parse"}};
  json answer = {{"next", json::array()}};
  if (char* text = icalrecurrencetype_as_string_r(&rule); text != nullptr) {
    answer["text"] = text;
    icalmemory_free_buffer(text);
  }
  const std::string anchor = question.at("anchor").get<std::string>();
  const std::unique_ptr<icalrecur_iterator, decltype(&icalrecur_iterator_free)> iterator(
      icalrecur_iterator_new(rule, icaltime_from_string(anchor.c_str())), &icalrecur_iterator_free);
  if (iterator == nullptr) return {{"refused", "iterator"}, {"text", answer["text"]}};
  const auto n = question.value("n", std::size_t{10});
  while (answer["next"].size() < n) {
    const icaltimetype time = icalrecur_iterator_next(iterator.get());
    if (icaltime_is_null_time(time) != 0) break;
    const std::string local = icaltime_as_ical_string(time);
    if (local > anchor) answer["next"].push_back(local);
  }
  answer["micros"] =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
  return answer;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    json answer;
    try {
      answer = Answer(json::parse(line));
    } catch (const json::exception& error) {
      answer = {{"refused", error.what()}};
    }
    std::cout << answer.dump() << "\n" << std::flush;
  }
}
