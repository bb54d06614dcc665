#include "appcallback/job_data.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <string>

namespace todo::appcallback {
namespace {

namespace pb = google::protobuf;

template <typename Message>
pb::Any Packed(const Message& message) {
  pb::Any any;
  any.PackFrom(message);
  return any;
}

pb::Any Bare(const std::string& text) {
  pb::Any any;
  any.set_value(text);
  return any;
}

// Written by the library as well: see job_data.cc.
template <typename Message = pb::Struct>
Message Object(const std::string& task_id) {
  Message object;
  const auto parsed =
      pb::util::JsonStringToMessage(R"({"type":"reminder","task_id":)" + task_id + "}", &object);
  EXPECT_TRUE(parsed.ok()) << parsed.ToString();
  return object;
}

constexpr char kJson[] = R"({"task_id":7,"user_id":"ann","type":"reminder"})";

TEST(JobDataTest, EveryFormInWhichItComesIsRead) {
  pb::Value quoted;
  quoted.set_string_value(kJson);
  pb::StringValue text;
  text.set_value(kJson);
  pb::BytesValue bytes;
  bytes.set_value(kJson);
  for (const pb::Any& data :
       {Packed(Object<pb::Value>("7")), Packed(quoted), Packed(Object("7")), Packed(text),
        Packed(bytes), Bare(kJson), Bare(R"("{\"task_id\":7}")")}) {
    EXPECT_EQ(TaskOfJobData(data), domain::TaskId{7}) << data.ShortDebugString();
  }
  pb::StringValue large;
  large.set_value(R"({"task_id":9007199254740993})");
  EXPECT_EQ(TaskOfJobData(Packed(large)), domain::TaskId{9007199254740993}) << "exactly";
  EXPECT_EQ(TaskOfJobData(Packed(Object("1000000000000000"))),
            domain::TaskId{1'000'000'000'000'000});
}

TEST(JobDataTest, AnythingElseSaysNothing) {
  pb::Value list;
  list.mutable_list_value();
  pb::Value null;
  null.set_null_value(pb::NULL_VALUE);
  pb::StringValue garbled;
  garbled.set_value("{\"task_id\":");
  pb::Any unknown;
  unknown.set_type_url("type.googleapis.com/some.Thing");
  unknown.set_value("\x08\x07");
  pb::Any broken = Packed(Object("7"));
  broken.set_value("\xff\xff\xff");
  for (const pb::Any& data : {pb::Any(),
                              Packed(list),
                              Packed(null),
                              Packed(garbled),
                              unknown,
                              broken,
                              Packed(Object("7.5")),
                              Packed(Object("0")),
                              Packed(Object("-1")),
                              Packed(Object("1e300")),
                              Packed(Object("1e17")),
                              Packed(Object(R"("NaN")")),
                              Packed(Object("{}")),
                              Bare("[1]"),
                              Bare("7"),
                              Bare(R"({"task_id":"7"})"),
                              Bare(R"({"task_id":-7})"),
                              Bare(R"({"task_id":1e400})"),
                              Bare(std::string(100'000, '[')),
                              Bare(R"({"task_id":99999999999999999999})")}) {
    EXPECT_EQ(TaskOfJobData(data), std::nullopt) << data.ShortDebugString().substr(0, 200);
  }
}

}  // namespace
}  // namespace todo::appcallback
