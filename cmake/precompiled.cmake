# The headers of libraries that many files include, in sets by what a room works with.
set(common
    <algorithm> <chrono> <functional> <map> <memory> <mutex> <optional> <set> <string> <string_view> <thread> <utility>
    <vector> <absl/status/statusor.h> <absl/time/civil_time.h> <absl/time/time.h> <fmt/format.h>)
set(common_links absl::statusor absl::time fmt::fmt)

todo_precompiled(common LINKS ${common_links} HEADERS ${common})
todo_precompiled(store LINKS ${common_links} PkgConfig::LIBPQXX HEADERS ${common} <pqxx/pqxx>)
todo_precompiled(grpc LINKS ${common_links} gRPC::grpc++ HEADERS ${common} <grpcpp/grpcpp.h>)
if(BUILD_TESTING)
  todo_precompiled(tests LINKS ${common_links} GTest::gmock HEADERS ${common} <gmock/gmock.h>)
  todo_precompiled(store_tests LINKS ${common_links} PkgConfig::LIBPQXX GTest::gmock
                   HEADERS ${common} <pqxx/pqxx> <gmock/gmock.h>)
  todo_precompiled(grpc_tests LINKS ${common_links} gRPC::grpc++ GTest::gmock
                   HEADERS ${common} <grpcpp/grpcpp.h> <gmock/gmock.h>)
endif()
