#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/dapr_secret_store.h"
#include "client/dapr_state_store.h"
#include "support/fake_sidecar.h"
#include "support/status_matchers.h"

namespace todo::client {
namespace {

using absl::StatusCode;
using dapr::proto::common::v1::StateOptions;
using support::FakeSidecar;
using support::IsOk;
using testing::IsEmpty;
using testing::SizeIs;

class DaprStateStoreTest : public testing::Test {
 protected:
  FakeSidecar sidecar_;
  DaprClient client_{{.endpoint = sidecar_.endpoint(), .api_token = "token"}};
  DaprStateStore store_{client_, {.component = "statestore"}};
};

TEST_F(DaprStateStoreTest, AWrittenValueIsReadWithItsEtag) {
  ASSERT_THAT(store_.Write("a", "1", ""), IsOk());
  ASSERT_THAT(store_.Write("b", "2", ""), IsOk());
  const auto one = store_.Read({"a"});
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(one->at("a").data, "1");
  const auto many = store_.Read({"a", "b", "c"});
  ASSERT_THAT(many, IsOk());
  ASSERT_THAT(*many, SizeIs(2));
  EXPECT_EQ(many->at("b").data, "2");
  EXPECT_EQ(many->at("a").etag, one->at("a").etag);
  EXPECT_THAT(*store_.Read({}), IsEmpty());
  EXPECT_THAT(*store_.Read({"c"}), IsEmpty());
}

TEST_F(DaprStateStoreTest, AValueThatHasChangedIsNotOverwritten) {
  ASSERT_THAT(store_.Write("a", "1", ""), IsOk());
  EXPECT_EQ(store_.Write("a", "2", "").code(), StatusCode::kAborted) << "there is one already";
  const std::string etag = store_.Read({"a"})->at("a").etag;
  ASSERT_THAT(store_.Write("a", "2", etag), IsOk());
  EXPECT_EQ(store_.Write("a", "3", etag).code(), StatusCode::kAborted);
  EXPECT_EQ(store_.Read({"a"})->at("a").data, "2");
}

TEST_F(DaprStateStoreTest, AsksForTheFirstWriteToWinAndHasATokenAndADeadline) {
  ASSERT_THAT(store_.Write("a", "1", ""), IsOk());
  const FakeSidecar::Call call = sidecar_.calls().back();
  EXPECT_EQ(call.save.states(0).options().concurrency(), StateOptions::CONCURRENCY_FIRST_WRITE);
  EXPECT_EQ(call.save.states(0).options().consistency(), StateOptions::CONSISTENCY_STRONG);
  EXPECT_FALSE(call.save.states(0).has_etag());
  EXPECT_EQ(call.metadata.at("dapr-api-token"), "token");
  EXPECT_LE(call.time_left, std::chrono::seconds(3));  // on the wire it is rounded up
}

TEST_F(DaprStateStoreTest, AnyFailureOfTheStoreIsUnavailable) {
  EXPECT_EQ(store_.Read({"a", "broken"}).status().code(), StatusCode::kUnavailable);
  // As Dapr says that there is no such component.
  sidecar_.SetAnswer({grpc::StatusCode::FAILED_PRECONDITION, "state store is not configured"});
  EXPECT_EQ(store_.Read({"a"}).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_.Read({"a", "b"}).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_.Write("a", "1", "").code(), StatusCode::kUnavailable);
  sidecar_.Stop();
  EXPECT_EQ(store_.Read({"a"}).status().code(), StatusCode::kUnavailable);
}

class DaprSecretStoreTest : public testing::Test {
 protected:
  FakeSidecar sidecar_;
  DaprClient client_{{.endpoint = sidecar_.endpoint()}};
};

TEST_F(DaprSecretStoreTest, ReadsTheSecretOnceForAllItsEntries) {
  sidecar_.SetSecrets({{"user", "ada"}, {"password", "secret"}});
  DaprSecretStore store(client_, {});
  EXPECT_EQ(*store.Get("user"), "ada");
  EXPECT_EQ(*store.Get("password"), "secret");
  EXPECT_EQ(store.Get("key").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(sidecar_.calls(), SizeIs(1));
}

TEST_F(DaprSecretStoreTest, CachesForAShortTimeOnly) {
  sidecar_.SetSecrets({{"user", "ada"}});
  DaprSecretStore store(client_, {.cache_time = std::chrono::seconds(0)});
  EXPECT_EQ(*store.Get("user"), "ada");
  sidecar_.SetSecrets({{"user", "bob"}});
  EXPECT_EQ(*store.Get("user"), "bob");
}

TEST_F(DaprSecretStoreTest, OnlyAComponentThatHasLookedReportsAMissingSecret) {
  const auto code_of = [&](grpc::StatusCode code, const std::string& why) {
    DaprSecretStore store(client_, {});
    sidecar_.SetAnswer({code, why});
    return store.Get("user").status().code();
  };
  // As Dapr 1.17 hands on what its components say.
  const std::string failed = "failed getting secret with key todo-secrets from secret store s: ";
  for (const char* why : {"secret todo-secrets not found", "secrets \"todo-secrets\" not found",
                          "getSecret todo-secrets failed secret key or version not exist",
                          "RESPONSE 404: 404 Not Found ERROR CODE: SecretNotFound"}) {
    EXPECT_EQ(code_of(grpc::StatusCode::INTERNAL, failed + why), StatusCode::kNotFound) << why;
  }
  for (const char* why :
       {"Get \"https://10.0.0.1/api/v1/namespaces/default/secrets/todo-secrets\": dial tcp: i/o "
        "timeout",
        "secrets \"todo-secrets\" is forbidden", "couldn't get secret: connection refused",
        "couldn't get successful response, status code 503, body sealed"}) {
    EXPECT_EQ(code_of(grpc::StatusCode::INTERNAL, failed + why), StatusCode::kUnavailable) << why;
  }
  EXPECT_EQ(code_of(grpc::StatusCode::FAILED_PRECONDITION, "secret store is not configured"),
            StatusCode::kUnavailable);
  EXPECT_EQ(code_of(grpc::StatusCode::INVALID_ARGUMENT, "failed finding secret store with key s"),
            StatusCode::kUnavailable);
  EXPECT_EQ(code_of(grpc::StatusCode::PERMISSION_DENIED, "access denied by policy"),
            StatusCode::kUnavailable);
  EXPECT_EQ(code_of(grpc::StatusCode::UNAVAILABLE, "not found"), StatusCode::kUnavailable);
}

TEST_F(DaprSecretStoreTest, AFailureIsNotCached) {
  DaprSecretStore store(client_, {});
  sidecar_.SetAnswer({grpc::StatusCode::INTERNAL, "connection refused"});
  EXPECT_EQ(store.Get("user").status().code(), StatusCode::kUnavailable);
  sidecar_.SetAnswer(grpc::Status::OK);
  sidecar_.SetSecrets({{"user", "ada"}});
  EXPECT_EQ(*store.Get("user"), "ada");
}

}  // namespace
}  // namespace todo::client
