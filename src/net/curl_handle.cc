#include "net/curl_handle.h"

#include <new>

namespace todo::net {

CurlHandle::CurlHandle(std::chrono::milliseconds timeout, const std::string& ca_file) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised == CURLE_OK) easy_.reset(curl_easy_init());
  if (easy_ == nullptr) throw std::bad_alloc();  // the only possible reason

  Set(CURLOPT_ERRORBUFFER, error_.data());
  Set(CURLOPT_NOSIGNAL, 1L);
  Set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  // The timeout also ends the wait for a name server that does not answer.
  Set(CURLOPT_QUICK_EXIT, 1L);
  Set(CURLOPT_PROXY, "");
  Set(CURLOPT_FRESH_CONNECT, 1L);
  Set(CURLOPT_FORBID_REUSE, 1L);
  Set(CURLOPT_FOLLOWLOCATION, 0L);
  Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file.empty()) {
    Set(CURLOPT_CAINFO, ca_file.c_str());
    Set(CURLOPT_CAPATH, nullptr);
  }
}

void CurlHandle::SetList(CURLoption option, const std::vector<std::string>& lines) {
  curl_slist* list = nullptr;
  for (const std::string& line : lines) list = curl_slist_append(list, line.c_str());
  lists_.emplace_back(list);
  Set(option, list);
}

std::string CurlHandle::Describe(CURLcode code) const {
  return error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
}

int CurlHandle::StatusCode() {
  long code = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &code);
  return static_cast<int>(code);
}

}  // namespace todo::net
