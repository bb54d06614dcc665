#pragma once

#include <string>
#include <string_view>

// Text as people see it. The only place that knows Unicode's tables, which are ICU's.

namespace todo::util {

/// `text` as search compares it: two texts that differ only in case ("ΣΊΣΥΦΟΣ", "Σίσυφος";
/// "STRASSE", "Straße"), in how their characters are put together ("é" of one or two code points,
/// "ﬁ" and "fi"), or in what nobody sees (soft hyphens, joiners, control characters other than
/// white space) come out the same. That is Unicode's NFKC_Casefold, in no language's own way: "I"
/// is "i" in Turkish too, and "İ" is "i" with a dot above. What comes out holds no control
/// character but white space. The same for ever: Unicode changes nothing of it for characters that
/// it knows.
///
/// Precondition: UTF-8; other bytes stay as they are. Thread safety: may be called from many
/// threads at once.
std::string FoldForSearch(std::string_view text);

/// Whether a person sees anything of `text`: whether something is in it besides white space,
/// control and format characters, joiners and fillers. Precondition and thread safety as above.
bool HasVisible(std::string_view text);

}  // namespace todo::util
