#include "api/method.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "google/protobuf/descriptor.pb.h"
#include "util/log.h"

namespace todo::api {
namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::MethodOptions;
using google::protobuf::ServiceDescriptor;

void RequireComplete(const ServiceDefinition& definition) {
  if (definition.methods.size() == static_cast<std::size_t>(definition.service->method_count()))
    return;
  util::Log(util::Severity::kError, "service_incomplete",
            {{"service", definition.service->full_name()},
             {"methods", definition.methods.size()},
             {"declared", definition.service->method_count()}});
  std::abort();
}

const MethodDescriptor& DeclarationOf(const ServiceDescriptor& service,
                                      const MethodDefinition& method) {
  const MethodDescriptor* declared = service.FindMethodByName(method.name);
  const bool is_stream = method.stream_handler != nullptr;
  if (declared == nullptr || declared->client_streaming() ||
      declared->server_streaming() != is_stream || (method.handler != nullptr) == is_stream ||
      declared->input_type() != method.request_prototype->GetDescriptor() ||
      declared->output_type() != method.response_prototype->GetDescriptor()) {
    util::Log(util::Severity::kError, "method_not_as_declared",
              {{"service", service.full_name()}, {"method", method.name}});
    std::abort();
  }
  return *declared;
}

}  // namespace

MethodTable::MethodTable(std::vector<ServiceDefinition> services) {
  for (ServiceDefinition& definition : services) {
    RequireComplete(definition);
    for (MethodDefinition& method : definition.methods) {
      const MethodDescriptor& declared = DeclarationOf(*definition.service, method);
      methods_.push_back(
          {.service = definition.service->full_name(),
           .name = std::move(method.name),
           .path = fmt::format("/{}/{}", definition.service->full_name(), declared.name()),
           .request_prototype = method.request_prototype,
           .response_prototype = method.response_prototype,
           .read_only = declared.options().idempotency_level() == MethodOptions::NO_SIDE_EFFECTS,
           .handler = std::move(method.handler),
           .stream_handler = std::move(method.stream_handler)});
    }
  }
  for (const Method& method : methods_) {
    if (by_path_.emplace(method.path, &method).second) continue;
    util::Log(util::Severity::kError, "method_defined_twice", {{"method", method.path}});
    std::abort();
  }
}

const Method* MethodTable::Find(std::string_view path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : found->second;
}

bool MethodTable::HasService(std::string_view service) const {
  return std::ranges::any_of(methods_,
                             [&](const Method& method) { return method.service == service; });
}

}  // namespace todo::api
