#pragma once

#include <string_view>

namespace todo::app {

/// Whether `text` is the origin of a web site in the form in which browsers send it: a scheme, a
/// host in small letters and perhaps a port, such as "https://app.example.org". Nothing in it can
/// end a value in a list or a header.
bool IsOrigin(std::string_view text);

}  // namespace todo::app
