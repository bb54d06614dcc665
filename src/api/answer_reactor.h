#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <memory>
#include <string>

#include "api/answer_budget.h"

namespace todo::api {

/// Of memory that gRPC keeps for every call whose answer has not been taken.
inline constexpr std::size_t kCallBytes = 16UL * 1024;

/// Sends the answer of a unary call and counts it in the budget until the client has taken it.
/// Belongs to gRPC, which deletes it through OnDone. Thread safety: as grpc::ServerUnaryReactor.
class AnswerReactor final : public grpc::ServerUnaryReactor {
 public:
  /// `holder`: whose answer it is, for the budget. `budget` must outlive every call.
  AnswerReactor(grpc::CallbackServerContext* context, std::string holder, AnswerBudget& budget);

  /// Ends the call. `bytes`: of the message. Afterwards the reactor may be gone.
  void Send(const grpc::Status& status, std::size_t bytes);

  void OnDone() override;

 private:
  grpc::CallbackServerContext* const context_;
  std::string holder_;
  AnswerBudget& budget_;
  std::shared_ptr<AnswerBudget::Held> held_;
};

}  // namespace todo::api
