#include "edge/answer_channel.h"

#include <utility>

#include "util/require.h"

namespace todo::edge {
namespace {

class Exchange final : public util::HttpExchange {
 public:
  explicit Exchange(std::shared_ptr<AnswerChannel> channel) : channel_(std::move(channel)) {}
  ~Exchange() override { channel_->LetGo(); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  bool IsCancelled() const override { return channel_->cancelled(); }
  void OnCancel(std::function<void()> callback) override {
    channel_->OnCancel(std::move(callback));
  }
  void OnDrained(std::function<void()> callback) override {
    channel_->OnDrained(std::move(callback));
  }
  void Respond(util::HttpResponse response) override { channel_->Respond(std::move(response)); }
  void Begin(util::HttpResponseHead head) override { channel_->Begin(std::move(head)); }
  bool Write(std::string piece) override { return channel_->Write(std::move(piece)); }
  void End() override { channel_->End(); }

 private:
  const std::shared_ptr<AnswerChannel> channel_;
};

}  // namespace

template <typename Change>
void AnswerChannel::Update(Change change) {
  std::function<void()> needless;  // destroyed without the lock
  {
    auto state = state_.Lock();
    change(*state);
    if (state->stage == Stage::kComplete) needless = std::exchange(state->on_cancel, nullptr);
    if (std::exchange(state->woken, true)) return;
  }
  wake_();
}

AnswerChannel::Given AnswerChannel::Take() {
  auto state = state_.Lock();
  state->woken = false;
  state->held_bytes += std::exchange(state->queued_bytes, 0);
  Given given = std::exchange(state->given, {});
  // The two flags stay: a later Take says the same.
  state->given.ended = given.ended;
  state->given.abandoned = given.abandoned;
  return given;
}

void AnswerChannel::SetHeld(std::size_t bytes) {
  std::function<void()> callback;
  {
    auto state = state_.Lock();
    state->held_bytes = bytes;
    if (state->is_drained()) callback = std::exchange(state->on_drained, nullptr);
  }
  if (callback) callback();
}

void AnswerChannel::Cancel() {
  std::function<void()> callback;
  std::function<void()> drained;
  {
    auto state = state_.Lock();
    state->cancelled = true;
    state->given.whole.reset();
    state->given.pieces.clear();
    callback = std::exchange(state->on_cancel, nullptr);
    drained = std::exchange(state->on_drained, nullptr);
  }
  if (callback) callback();
  if (drained) drained();
}

void AnswerChannel::OnDrained(std::function<void()> callback) {
  {
    auto state = state_.Lock();
    if (!state->is_drained()) {
      std::swap(state->on_drained, callback);  // the former one is destroyed without the lock
      return;
    }
  }
  callback();
}

void AnswerChannel::OnCancel(std::function<void()> callback) {
  {
    auto state = state_.Lock();
    if (state->stage == Stage::kComplete) return;
    if (!state->cancelled) {
      std::swap(state->on_cancel, callback);  // the former one is destroyed without the lock
      return;
    }
  }
  if (callback) callback();
}

bool AnswerChannel::overflowed() { return state_.Lock()->overflowed; }

bool AnswerChannel::cancelled() { return state_.Lock()->cancelled; }

void AnswerChannel::Respond(util::HttpResponse response) {
  Update([&](State& state) {
    TODO_REQUIRE(state.stage == Stage::kNothing);
    if (state.stage != Stage::kNothing) return;
    state.stage = Stage::kComplete;
    if (!state.cancelled) state.given.whole = std::move(response);
    state.given.ended = true;
  });
}

void AnswerChannel::Begin(util::HttpResponseHead head) {
  Update([&](State& state) {
    TODO_REQUIRE(state.stage == Stage::kNothing);
    if (state.stage != Stage::kNothing) return;
    state.stage = Stage::kBegun;
    state.given.head = std::move(head);
  });
}

bool AnswerChannel::Write(std::string piece) {
  bool taken = false;
  Update([&](State& state) {
    TODO_REQUIRE(state.stage == Stage::kBegun);
    if (state.stage != Stage::kBegun || state.cancelled) return;
    // A single piece may be larger than the bound: its size is the handler's affair.
    if (state.queued_bytes + state.held_bytes > max_unsent_bytes_) {
      state.overflowed = true;
      state.cancelled = true;
      return;
    }
    taken = true;
    if (piece.empty()) return;
    state.queued_bytes += piece.size();
    state.given.pieces.push_back(std::move(piece));
  });
  return taken;
}

void AnswerChannel::End() {
  Update([](State& state) {
    TODO_REQUIRE(state.stage == Stage::kBegun);
    state.stage = Stage::kComplete;
    state.given.ended = true;
  });
}

void AnswerChannel::LetGo() {
  Update([](State& state) {
    if (state.stage == Stage::kComplete) return;
    state.stage = Stage::kComplete;
    state.given.abandoned = true;
  });
}

std::unique_ptr<util::HttpExchange> MakeExchange(std::shared_ptr<AnswerChannel> channel) {
  return std::make_unique<Exchange>(std::move(channel));
}

}  // namespace todo::edge
