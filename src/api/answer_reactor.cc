#include "api/answer_reactor.h"

#include <utility>

namespace todo::api {

AnswerReactor::AnswerReactor(grpc::CallbackServerContext* context, std::string holder,
                             AnswerBudget& budget)
    : context_(context), holder_(std::move(holder)), budget_(budget) {}

void AnswerReactor::Send(const grpc::Status& status, std::size_t bytes) {
  const std::size_t all = kCallBytes + bytes + status.error_details().size();
  // The context lives until OnDone. gRPC runs OnDone of such a reactor on a thread of its own,
  // never inside TryCancel.
  held_ = budget_.Hold(std::move(holder_), all, [this] { context_->TryCancel(); });
  Finish(status);
}

void AnswerReactor::OnDone() {
  if (held_ != nullptr) held_->End();
  delete this;
}

}  // namespace todo::api
