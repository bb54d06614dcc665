#pragma once

#include <string>
#include <string_view>
#include <vector>

// The fields of a request that choose the form of a file's answer. Pure.

namespace todo::page {

/// Whether the values of accept-encoding allow gzip.
bool AcceptsGzip(const std::vector<std::string>& values);

/// Whether the values of if-none-match name `etag`, which is a weak one: the client has the file.
bool NamesTag(const std::vector<std::string>& values, std::string_view etag);

}  // namespace todo::page
