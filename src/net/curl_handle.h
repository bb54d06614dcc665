#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace todo::net {

/// One transfer of libcurl's, alone on a connection of its own, which ends with it. Takes nothing
/// from its surroundings: no proxy, no .netrc, no settings of an earlier transfer.
/// Thread safety: none; one transfer belongs to one thread.
class CurlHandle {
 public:
  /// `ca_file`: PEM file of the authorities to trust instead of the system's, or empty.
  CurlHandle(std::chrono::milliseconds timeout, const std::string& ca_file);

  CURL* get() { return easy_.get(); }
  template <typename T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }
  /// Lines without their end, sent as headers or recipients, whatever `option` says.
  void SetList(CURLoption option, const std::vector<std::string>& lines);

  /// Blocks, at most as long as the timeout.
  CURLcode Perform() { return curl_easy_perform(easy_.get()); }
  /// What libcurl says about the failure `code` of Perform.
  std::string Describe(CURLcode code) const;
  /// The last status of the other side; 0: none came.
  int StatusCode();

 private:
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  // In this order: the handle refers to the others until it is gone.
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::vector<std::unique_ptr<curl_slist, FreeList>> lists_;
  std::unique_ptr<CURL, FreeEasy> easy_;
};

}  // namespace todo::net
