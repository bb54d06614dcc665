#include "front/frame_inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "unit/front/frames.h"

namespace todo::front {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;
using Kind = Decision::Kind;

class FrameInspectorTest : public testing::Test {
 protected:
  /// The kind of the decision about all of the bytes.
  Kind Send(std::string_view bytes) {
    last_ = inspector_.FromClient(bytes, now_);
    return last_.kind;
  }
  void Open() { ASSERT_EQ(Send(Opening()), Kind::kPass); }
  /// The number of frames that pass before the client is slowed down; at most `count`.
  int CountPassed(const std::string& frame, int count) {
    for (int i = 0; i < count; ++i)
      if (Send(frame) != Kind::kPass) return i;
    return count;
  }

  SteadyTime now_{1'000s};
  FrameInspector inspector_;
  Decision last_;
};

TEST_F(FrameInspectorTest, AnOrdinaryConversationPasses) {
  Open();
  EXPECT_TRUE(inspector_.greeted());
  for (std::uint32_t stream = 1; stream < 20'001; stream += 2) {
    ASSERT_EQ(Send(Call(stream)), Kind::kPass);
    EXPECT_EQ(inspector_.open_calls(), 1);
    inspector_.FromServer(Frame(kHeaders, kEndHeaders, stream, 30) + Frame(kData, 0, stream, 100) +
                              Frame(kHeaders, kEndHeaders | kEndStream, stream, 30),
                          now_);
    EXPECT_EQ(inspector_.open_calls(), 0);
    ASSERT_EQ(Send(Frame(kWindowUpdate, 0, 0, 4) + Frame(kWindowUpdate, 0, stream, 4)),
              Kind::kPass);
  }
}

TEST_F(FrameInspectorTest, EveryDivisionIntoPiecesIsDecidedAlike) {
  const std::string bytes = Opening() + Call(1) + Frame(kPing, 0, 0, 8) + Call(3) +
                            Frame(kPushPromise, 0, 3, 4) + Call(5);
  for (std::size_t step = 1; step < bytes.size(); ++step) {
    FrameInspector inspector;
    std::string_view rest = bytes;
    Decision decision;
    while (!rest.empty() && decision.kind == Kind::kPass) {
      decision = inspector.FromClient(rest.substr(0, step), now_);
      rest.remove_prefix(std::min(step, rest.size()));
    }
    EXPECT_EQ(decision.kind, Kind::kRefuse) << step;
    EXPECT_EQ(inspector.open_calls(), 2) << step;
  }
}

TEST_F(FrameInspectorTest, OtherProtocolsAreRefusedAtTheFirstWrongByte) {
  EXPECT_EQ(Send("PR"), Kind::kPass);
  EXPECT_FALSE(inspector_.greeted());
  EXPECT_EQ(Send("X"), Kind::kRefuse);
  EXPECT_EQ(Send("I"), Kind::kRefuse) << "nothing passes after a refusal";
}

TEST_F(FrameInspectorTest, TheFirstFrameIsSettings) {
  EXPECT_EQ(Send(std::string(kPreface) + Frame(kPing, 0, 0, 8)), Kind::kRefuse);
}

TEST_F(FrameInspectorTest, HeaderBlocksAreBounded) {
  Open();
  EXPECT_EQ(Send(FrameHeader(kHeaders, 0, 1, 16'384)), Kind::kPass);
  FrameInspector another;
  const std::string large = Opening() + FrameHeader(kHeaders, 0, 1, 16'385);
  EXPECT_EQ(another.FromClient(large, now_).kind, Kind::kRefuse);
  FrameInspector third;
  const std::string in_parts =
      Opening() + Frame(kHeaders, 0, 1, 16'000) + FrameHeader(kContinuation, kEndHeaders, 1, 385);
  EXPECT_THAT(third.FromClient(in_parts, now_).reason, HasSubstr("too large"));
}

TEST_F(FrameInspectorTest, AHeaderBlockHasFewFrames) {
  Open();
  std::string block = Frame(kHeaders, 0, 1, 10);
  for (int i = 0; i < 4; ++i) block += Frame(kContinuation, 0, 1, 10);
  EXPECT_EQ(Send(block), Kind::kPass);
  EXPECT_EQ(Send(Frame(kContinuation, kEndHeaders, 1, 0)), Kind::kRefuse);
}

TEST_F(FrameInspectorTest, LargeHeaderBlocksOfAllConnectionsShareARate) {
  util::TokenBucket rate(300'000, 300'000);
  const FrameLimits limits{.max_header_block_bytes = 10'000'000, .max_continuations = 1'000};
  FrameInspector one(limits, &rate);
  FrameInspector other(limits, &rate);
  std::string block = Opening() + Frame(kHeaders, 0, 1, 10'000);
  for (int i = 0; i < 70; ++i) block += Frame(kContinuation, 0, 1, 10'000);
  EXPECT_EQ(one.FromClient(block, now_).kind, Kind::kPass);
  const Decision decision = other.FromClient(block, now_);
  EXPECT_EQ(decision.kind, Kind::kWait);
  EXPECT_GT(decision.passed, 64U * 1'024) << "the beginning of a block is free";
  const std::string_view rest = std::string_view(block).substr(decision.passed);
  EXPECT_EQ(other.FromClient(rest, now_ + 1s).kind, Kind::kPass);
}

TEST_F(FrameInspectorTest, AHeaderBlockIsNotInterrupted) {
  for (const std::string& intruder :
       {Frame(kData, 0, 1, 10), Frame(kHeaders, kEndHeaders, 3, 10),
        Frame(kContinuation, kEndHeaders, 3, 10), Frame(kPing, 0, 0, 8)}) {
    FrameInspector inspector;
    const std::string bytes = Opening() + Frame(kHeaders, 0, 1, 10) + intruder;
    EXPECT_EQ(inspector.FromClient(bytes, now_).kind, Kind::kRefuse);
  }
  Open();
  EXPECT_EQ(Send(Frame(kContinuation, kEndHeaders, 1, 10)), Kind::kRefuse) << "no block at all";
}

TEST_F(FrameInspectorTest, CallsAtTheSameTimeAreBounded) {
  Open();
  std::uint32_t stream = 1;
  for (int i = 0; i < FrameLimits{}.max_open_calls; ++i, stream += 2)
    ASSERT_EQ(Send(Call(stream)), Kind::kPass);
  inspector_.FromServer(Frame(kRstStream, 0, 1, 4) + Frame(kData, kEndStream, 3, 4), now_);
  EXPECT_EQ(Send(Call(stream) + Call(stream + 2)), Kind::kPass) << "two have ended";
  EXPECT_EQ(Send(Call(stream + 4)), Kind::kRefuse);
}

TEST_F(FrameInspectorTest, WhileThePortIsFullAConnectionMayOpenAFewCalls) {
  OpenCalls all(9);
  all.NoteLeaving(12);
  FrameInspector inspector({}, nullptr, &all);
  const std::string four = Opening() + Call(1) + Call(3) + Call(5) + Call(7);
  EXPECT_EQ(inspector.FromClient(four, now_).kind, Kind::kPass);
  const std::string more = Call(9);
  const Decision decision = inspector.FromClient(more, now_);
  EXPECT_EQ(decision.kind, Kind::kWait);
  EXPECT_EQ(inspector.open_calls(), 4);
  inspector.FromServer(Frame(kHeaders, kEndHeaders | kEndStream, 1, 30), now_);
  EXPECT_EQ(inspector.FromClient(std::string_view(more).substr(decision.passed), now_).kind,
            Kind::kPass)
      << "one has been answered";
  EXPECT_EQ(inspector.FromClient(Call(11), now_).kind, Kind::kWait);
  all.NoteLeft(12);
  EXPECT_EQ(inspector.FromClient(Call(11).substr(8), now_).kind, Kind::kPass);
  EXPECT_EQ(inspector.open_calls(), 5);
}

TEST_F(FrameInspectorTest, EvenNumbersAreNotForClients) {
  Open();
  EXPECT_EQ(Send(Call(2)), Kind::kRefuse);
}

TEST_F(FrameInspectorTest, AClientMayCancelAllItsCallsAtOnce) {
  Open();
  for (std::uint32_t stream = 1; stream < 400; stream += 2)
    ASSERT_EQ(Send(Frame(kHeaders, kEndHeaders, stream, 60)), Kind::kPass);
  for (std::uint32_t stream = 1; stream < 400; stream += 2)
    ASSERT_EQ(Send(Frame(kRstStream, 0, stream, 4)), Kind::kPass);
  EXPECT_EQ(inspector_.open_calls(), 0);
}

TEST_F(FrameInspectorTest, FloodsAreSlowedDown) {
  for (const std::string& frame :
       {Frame(kPing, 0, 0, 8), Frame(kPing, kAck, 0, 8), Frame(kSettings, 0, 0),
        Frame(kSettings, kAck, 0), Frame(kPriority, 0, 1, 5), Frame(kWindowUpdate, 0, 0, 4),
        Frame(kData, 0, 1, 0), Frame(200, 0, 0, 10), Frame(kRstStream, 0, 1, 4)}) {
    inspector_.~FrameInspector();
    new (&inspector_) FrameInspector();
    Open();
    EXPECT_LE(CountPassed(frame, 2'000), 1'000);
    EXPECT_EQ(last_.kind, Kind::kWait);
    EXPECT_EQ(last_.passed, 8U) << "the end of the frame's header waits";
    now_ += 1s;
    // The bytes before the last one of the header have passed.
    EXPECT_EQ(Send(std::string_view(frame).substr(8)), Kind::kPass);
    EXPECT_EQ(CountPassed(frame, 2'000), 199);
  }
}

TEST_F(FrameInspectorTest, RapidResetIsSlowedDown) {
  Open();
  int passed = 0;
  for (std::uint32_t stream = 1; stream < 10'001; stream += 2, ++passed)
    if (Send(Call(stream) + Frame(kRstStream, 0, stream, 4)) != Kind::kPass) break;
  EXPECT_LE(passed, 1'000);
  EXPECT_EQ(last_.kind, Kind::kWait);
  EXPECT_LE(last_.wait, 10ms);
  now_ += last_.wait;
  EXPECT_EQ(Send(Frame(kRstStream, 0, 2'001, 4).substr(8)), Kind::kPass);
}

TEST_F(FrameInspectorTest, AnswersToTheServerAreFree) {
  Open();
  for (int i = 0; i < 5'000; ++i) {
    inspector_.FromServer(
        Frame(kPing, 0, 0, 8) + Frame(kSettings, 0, 0, 6) + Frame(kData, 0, 1, 16), now_);
    ASSERT_EQ(Send(Frame(kPing, kAck, 0, 8) + Frame(kSettings, kAck, 0) +
                   Frame(kWindowUpdate, 0, 0, 4) + Frame(kWindowUpdate, 0, 1, 4)),
              Kind::kPass)
        << i;
  }
}

TEST_F(FrameInspectorTest, LargeDataIsNotLookedAt) {
  Open();
  ASSERT_EQ(Send(Frame(kHeaders, kEndHeaders, 1, 60)), Kind::kPass);
  const std::string megabyte = Frame(kData, 0, 1, 1'000'000);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(Send(megabyte), Kind::kPass);
}

TEST_F(FrameInspectorTest, SlowHeadersAndRequestsAreOverdue) {
  Open();
  ASSERT_EQ(Send(Frame(kHeaders, 0, 1, 60)), Kind::kPass);
  now_ += 9s;
  EXPECT_THAT(inspector_.Overdue(now_), IsEmpty());
  now_ += 2s;
  EXPECT_THAT(inspector_.Overdue(now_), HasSubstr("header block"));
  ASSERT_EQ(Send(Frame(kContinuation, kEndHeaders, 1, 60)), Kind::kPass);
  EXPECT_THAT(inspector_.Overdue(now_), IsEmpty());
  now_ += 50s;
  EXPECT_THAT(inspector_.Overdue(now_), HasSubstr("request"));
  ASSERT_EQ(Send(Frame(kData, kEndStream, 1, 60)), Kind::kPass);
  EXPECT_THAT(inspector_.Overdue(now_), IsEmpty()) << "a slow answer is the server's matter";
}

TEST_F(FrameInspectorTest, ARequestThatMovesIsNotOverdue) {
  Open();
  ASSERT_EQ(Send(Frame(kHeaders, kEndHeaders, 1, 60) + Frame(kHeaders, kEndHeaders, 3, 60)),
            Kind::kPass);
  EXPECT_EQ(inspector_.open_requests(), 2);
  now_ += 50s;
  ASSERT_EQ(Send(Frame(kData, 0, 1, 1)), Kind::kPass);
  now_ += 20s;
  EXPECT_THAT(inspector_.Overdue(now_), HasSubstr("request")) << "the other one stands still";
  ASSERT_EQ(Send(Frame(kData, kEndStream, 3, 1)), Kind::kPass);
  EXPECT_EQ(inspector_.open_requests(), 1);
  EXPECT_EQ(inspector_.open_calls(), 2);
  EXPECT_THAT(inspector_.Overdue(now_), IsEmpty());
  now_ += 50s;
  EXPECT_THAT(inspector_.Overdue(now_), HasSubstr("request"));
}

TEST_F(FrameInspectorTest, AnEmptyFrameDoesNotMoveARequest) {
  Open();
  ASSERT_EQ(Send(Frame(kHeaders, kEndHeaders, 1, 60)), Kind::kPass);
  now_ += 61s;
  ASSERT_EQ(Send(Frame(kData, 0, 1, 0)), Kind::kPass);
  EXPECT_THAT(inspector_.Overdue(now_), HasSubstr("request"));
}

TEST_F(FrameInspectorTest, AConversationStaysOpenWhileOtherCallsAreAnswered) {
  Open();
  ASSERT_EQ(Send(Frame(kHeaders, kEndHeaders, 1, 60)), Kind::kPass);
  for (std::uint32_t stream = 3; stream < 203; stream += 2) {
    now_ += 30s;
    ASSERT_EQ(Send(Call(stream)), Kind::kPass);
    inspector_.FromServer(Frame(kHeaders, kEndHeaders | kEndStream, stream, 30), now_);
    ASSERT_THAT(inspector_.Overdue(now_), IsEmpty());
  }
  now_ += 61s;
  EXPECT_THAT(inspector_.Overdue(now_), HasSubstr("request"));
}

TEST_F(FrameInspectorTest, EveryWayToEndACallEndsItsRequest) {
  Open();
  for (std::uint32_t stream = 1; stream < 9; stream += 2)
    ASSERT_EQ(Send(Frame(kHeaders, kEndHeaders, stream, 60)), Kind::kPass);
  EXPECT_EQ(inspector_.open_requests(), 4);
  ASSERT_EQ(Send(Frame(kRstStream, 0, 1, 4)), Kind::kPass);
  inspector_.FromServer(Frame(kRstStream, 0, 3, 4) + Frame(kData, kEndStream, 5, 4) +
                            Frame(kHeaders, kEndHeaders | kEndStream, 7, 4),
                        now_);
  EXPECT_EQ(inspector_.open_requests(), 0);
  EXPECT_EQ(inspector_.open_calls(), 0);
  // Frames of calls that are over, and trailers, are no calls.
  ASSERT_EQ(Send(Frame(kData, 0, 1, 4) + Frame(kData, kEndStream, 3, 4) +
                 Frame(kHeaders, kEndHeaders | kEndStream, 5, 4)),
            Kind::kPass);
  EXPECT_EQ(inspector_.open_calls(), 0);
}

}  // namespace
}  // namespace todo::front
