#pragma once

#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace todo::bench {

/// The command line of a program that measures: `--name=value`, in any order. A name that the
/// program does not know ends it (std::invalid_argument).
class Options {
 public:
  /// `defaults` names all options.
  Options(int argc, char** argv, std::map<std::string, std::string, std::less<>> defaults)
      : values_(std::move(defaults)) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument(argv[i]);
      const std::size_t equals = argument.find('=');
      const auto found = argument.starts_with("--") && equals != std::string_view::npos
                             ? values_.find(argument.substr(2, equals - 2))
                             : values_.end();
      if (found == values_.end()) {
        std::string known;
        for (const auto& [name, value] : values_) known += " [--" + name + "=" + value + "]";
        throw std::invalid_argument("usage:" + known);
      }
      found->second = argument.substr(equals + 1);
    }
  }

  const std::string& Text(std::string_view name) const { return values_.find(name)->second; }
  double Number(std::string_view name) const { return std::stod(Text(name)); }
  int Count(std::string_view name) const { return std::stoi(Text(name)); }

  static std::string Environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// The main function of a program that measures: calls `work` with its options. What is thrown is
/// told on standard error, and is the exit code 1.
inline int Run(const char* program, int (*work)(const Options&), int argc, char** argv,
               std::map<std::string, std::string, std::less<>> defaults) {
  try {
    return work({argc, argv, std::move(defaults)});
  } catch (const std::exception& error) {
    std::cerr << program << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace todo::bench
