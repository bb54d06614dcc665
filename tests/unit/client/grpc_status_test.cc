#include "client/grpc_status.h"

#include <gtest/gtest.h>

#include <ostream>

namespace todo::client {
namespace {

struct Row {
  grpc::StatusCode from;
  absl::StatusCode to;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.from; }

class FromGrpcTest : public testing::TestWithParam<Row> {};

TEST_P(FromGrpcTest, KeepsCodeAndMessage) {
  EXPECT_EQ(FromGrpc({GetParam().from, "why"}), absl::Status(GetParam().to, "why"));
}

INSTANTIATE_TEST_SUITE_P(
    EveryCode, FromGrpcTest,
    testing::Values(Row{grpc::OK, absl::StatusCode::kOk},
                    Row{grpc::CANCELLED, absl::StatusCode::kCancelled},
                    Row{grpc::UNKNOWN, absl::StatusCode::kUnknown},
                    Row{grpc::INVALID_ARGUMENT, absl::StatusCode::kInvalidArgument},
                    Row{grpc::DEADLINE_EXCEEDED, absl::StatusCode::kDeadlineExceeded},
                    Row{grpc::NOT_FOUND, absl::StatusCode::kNotFound},
                    Row{grpc::ALREADY_EXISTS, absl::StatusCode::kAlreadyExists},
                    Row{grpc::PERMISSION_DENIED, absl::StatusCode::kPermissionDenied},
                    Row{grpc::RESOURCE_EXHAUSTED, absl::StatusCode::kResourceExhausted},
                    Row{grpc::FAILED_PRECONDITION, absl::StatusCode::kFailedPrecondition},
                    Row{grpc::ABORTED, absl::StatusCode::kAborted},
                    Row{grpc::OUT_OF_RANGE, absl::StatusCode::kOutOfRange},
                    Row{grpc::UNIMPLEMENTED, absl::StatusCode::kUnimplemented},
                    Row{grpc::INTERNAL, absl::StatusCode::kInternal},
                    Row{grpc::UNAVAILABLE, absl::StatusCode::kUnavailable},
                    Row{grpc::DATA_LOSS, absl::StatusCode::kDataLoss},
                    Row{grpc::UNAUTHENTICATED, absl::StatusCode::kUnauthenticated},
                    Row{static_cast<grpc::StatusCode>(17), absl::StatusCode::kUnknown}));

}  // namespace
}  // namespace todo::client
