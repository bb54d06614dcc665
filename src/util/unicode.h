#pragma once

#include <string>
#include <string_view>

// Text as people see it. No other file knows Unicode's tables, which are ICU's.

namespace todo::util {

/// The form of `text` that search compares. Two texts have equal forms when they differ only
/// - in case ("ΣΊΣΥΦΟΣ", "Σίσυφος"; "STRASSE", "Straße"),
/// - in how their characters are composed ("é" of one or two code points; "ﬁ", "fi"), or
/// - in invisible characters (soft hyphens, joiners, control characters other than white space).
/// The form is Unicode's NFKC_Casefold and ignores the rules of single languages: "I" becomes "i"
/// in Turkish too, and "İ" becomes "i" with a dot above. Its only control characters are white
/// space. The form of a character that Unicode has assigned never changes, so it can be stored.
///
/// Precondition: UTF-8; other bytes stay as they are. Thread safety: may be called from many
/// threads at once.
std::string FoldForSearch(std::string_view text);

/// Whether `text` has a visible character: one that is not white space, a control or format
/// character, a joiner or a filler. Precondition and thread safety as above.
bool HasVisible(std::string_view text);

}  // namespace todo::util
