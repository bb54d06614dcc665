#include "api/method.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "todo_definition.h"
#include "watch_definition.h"

namespace todo::api {
namespace {

absl::StatusOr<v1::Task> Unused(const Caller&, const v1::GetTaskRequest&) { return v1::Task(); }

TEST(MethodTableTest, FindsEveryDeclaredMethodByItsPath) {
  const MethodTable table({DefinitionWith(Unused)});
  EXPECT_EQ(table.methods().size(), static_cast<std::size_t>(TodoDescriptor().method_count()));
  for (const Method& method : table.methods()) {
    EXPECT_EQ(method.service, "todo.v1.TodoService");
    EXPECT_EQ(method.path, "/todo.v1.TodoService/" + method.name);
    EXPECT_EQ(table.Find(method.path), &method);
  }
  for (const char* path : {"", "/", "GetTask", "/todo.v1.TodoService", "/todo.v1.TodoService/",
                           "/todo.v1.TodoService/gettask", "todo.v1.TodoService/GetTask"}) {
    EXPECT_EQ(table.Find(path), nullptr) << path;
  }
}

TEST(MethodTableTest, OnlyMethodsWithoutARequestIdAreReadOnly) {
  const MethodTable table({DefinitionWith(Unused)});
  for (const Method& method : table.methods()) {
    const bool has_request_id =
        method.request_prototype->GetDescriptor()->FindFieldByName("request_id") != nullptr;
    // A ticket is a secret, and answers to GET may be kept by caches.
    const bool is_secret = method.name == "CreateWatchTicket";
    EXPECT_EQ(method.read_only, !has_request_id && !is_secret) << method.name;
  }
}

TEST(MethodTableTest, KnowsItsServices) {
  const MethodTable table({DefinitionWith(Unused)});
  EXPECT_TRUE(table.HasService("todo.v1.TodoService"));
  for (const char* name : {"", "todo.v1", "todo.v1.TodoServic", "todo.v1.TodoService/"})
    EXPECT_FALSE(table.HasService(name)) << name;
}

absl::Status NoStream(const Caller&, const v1::GetTaskRequest&,
                      const std::shared_ptr<ResponseStream>&) {
  return absl::OkStatus();
}

TEST(MethodTableTest, TellsStreamsFromOtherMethods) {
  const MethodTable table({WatchDefinition(NoStream)});
  EXPECT_TRUE(table.Find("/test.WatchService/Watch")->streams());
  EXPECT_FALSE(table.Find("/test.WatchService/Get")->streams());
}

TEST(MethodTableDeathTest, AStreamNeedsTheHandlerOfAStream) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ServiceDefinition unary = WatchDefinition(NoStream);
  unary.methods[0] = Unary<v1::GetTaskRequest, v1::Task>("Watch", Unused);
  EXPECT_DEATH(MethodTable({unary}), "method_not_as_declared");
  ServiceDefinition stream = WatchDefinition(NoStream);
  stream.methods[1] = ServerStreaming<v1::GetTaskRequest, v1::Task>("Get", NoStream);
  EXPECT_DEATH(MethodTable({stream}), "method_not_as_declared");
}

TEST(MethodTableDeathTest, AServiceMustBeComplete) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ServiceDefinition definition = DefinitionWith(Unused);
  definition.methods.pop_back();
  EXPECT_DEATH(MethodTable({definition}), "service_incomplete");
  definition = DefinitionWith(Unused);
  definition.methods[0].name = "Nonsense";
  EXPECT_DEATH(MethodTable({definition}), "method_not_as_declared");
  definition = DefinitionWith(Unused);
  definition.methods[0].request_prototype = &v1::DeleteTaskRequest::default_instance();
  EXPECT_DEATH(MethodTable({definition}), "method_not_as_declared");
  definition = DefinitionWith(Unused);
  definition.methods[1] = definition.methods[0];
  EXPECT_DEATH(MethodTable({definition}), "method_defined_twice");
}

}  // namespace
}  // namespace todo::api
