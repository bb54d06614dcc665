# The headers of libraries that many files include, in sets by what a room works with.
set(common
    <algorithm> <chrono> <functional> <map> <memory> <mutex> <optional> <set> <string> <string_view> <thread> <utility>
    <vector> <absl/status/statusor.h> <absl/time/civil_time.h> <absl/time/time.h> <fmt/format.h>)
set(common_links absl::statusor absl::time fmt::fmt)

todo_precompiled(common LINKS ${common_links} HEADERS ${common})
todo_precompiled(store LINKS ${common_links} PkgConfig::LIBPQXX HEADERS ${common} <pqxx/pqxx>)
todo_precompiled(grpc LINKS ${common_links} gRPC::grpc++ HEADERS ${common} <grpcpp/grpcpp.h>)
