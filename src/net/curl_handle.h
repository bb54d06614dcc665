#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

// Inside the room only: includes libcurl.

namespace todo::net {

/// One transfer of libcurl on a connection of its own, which ends with it. It takes nothing from
/// the environment: no proxy, no .netrc, no settings of an earlier transfer.
/// Thread safety: none; a transfer belongs to one thread.
class CurlHandle {
 public:
  /// `ca_file`: PEM file of the authorities that are trusted instead of the system's; empty: the
  /// system's.
  CurlHandle(std::chrono::milliseconds timeout, const std::string& ca_file);

  CURL* get() { return easy_.get(); }
  template <typename T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }
  /// Sets an option that takes a list, such as headers or recipients. `lines` have no line ends.
  void SetList(CURLoption option, const std::vector<std::string>& lines);

  /// Runs the transfer. Blocks, at most as long as the timeout.
  CURLcode Perform() { return curl_easy_perform(easy_.get()); }
  /// libcurl's description of `code`, the failure of Perform.
  std::string Describe(CURLcode code) const;
  /// The last status code of the other side; 0 when there was none.
  int StatusCode();

 private:
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  // In this order: the handle refers to the others until it is destroyed.
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::vector<std::unique_ptr<curl_slist, FreeList>> lists_;
  std::unique_ptr<CURL, FreeEasy> easy_;
};

}  // namespace todo::net
