#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/grammar/grammar.h"
#include "chat/grammar/rules.h"

namespace todo::chat::grammar {

struct Series {
  Moment first;      // the first date of the rule from now on
  std::string rule;  // as domain::Recurrence accepts it for a series that starts at `first`
  std::string meaning;
};

/// The series of `phrase`. `said`: what the text says elsewhere about its first date and its time
/// of day. `notes` get what is a surprise. nullopt: there is no such series; a note says why.
std::optional<Series> ResolveSeries(const RulePhrase& phrase, const MomentPhrase& said,
                                    const GrammarContext& context, std::vector<std::string>& notes);

}  // namespace todo::chat::grammar
