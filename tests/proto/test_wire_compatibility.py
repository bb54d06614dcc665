"""Our protos of foreign APIs against the real ones: Dapr's as compiled into its releases, google.rpc's as published."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2, status_pb2

from descriptor_comparison import Declarations, compile_protos, differences, from_descriptor_set

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
PROTOS = REPOSITORY / "proto"
DUMPER = HERE / "dapr_descriptors"

RUNTIME = "dapr.proto.runtime.v1"

# The sidecar may call any method of these, and one that we lack loses events without a word.
WHOLE_SERVICES = {f"{RUNTIME}.AppCallback", f"{RUNTIME}.AppCallbackAlpha", f"{RUNTIME}.AppCallbackHealthCheck"}

# Methods that the pinned Dapr does not have yet and its successor (dapr_descriptors/newer.mod) does. We serve and call
# them under both names; when the pin moves on, the comparison says that they do not belong here any more.
NEWER_THAN_THE_PIN = {
    f"{RUNTIME}.AppCallback.OnJobEvent",
    f"{RUNTIME}.Dapr.ScheduleJob",
    f"{RUNTIME}.Dapr.GetJob",
    f"{RUNTIME}.Dapr.DeleteJob",
}


def cache_folder() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("TODO_CACHE") or pathlib.Path(base) / "todo-service")


def dapr_release(module: str) -> Declarations:
    """The descriptors that the Dapr release of `module`.mod is compiled from. Built once per content of the dumper."""
    sources = [DUMPER / "main.go", DUMPER / f"{module}.mod", DUMPER / f"{module}.sum"]
    content = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    cached = cache_folder() / "dapr_descriptors" / f"{content}.binpb"
    if not cached.exists():
        environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}
        command = ["go", "run", f"-modfile={module}.mod", "."]
        built = subprocess.run(command, cwd=DUMPER, env=environment, capture_output=True, check=False)
        assert built.returncode == 0, built.stderr.decode()
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cached.parent, delete=False) as file:
            file.write(built.stdout)
        os.replace(file.name, cached)
    return from_descriptor_set(cached.read_bytes())


@pytest.fixture(scope="session", name="pinned_dapr")
def fixture_pinned_dapr() -> Declarations:
    return dapr_release("go")


@pytest.fixture(scope="session", name="newer_dapr")
def fixture_newer_dapr() -> Declarations:
    return dapr_release("newer")


@pytest.fixture(scope="session", name="google_rpc")
def fixture_google_rpc() -> Declarations:
    modules = [status_pb2, error_details_pb2]
    return Declarations(
        descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb) for module in modules
    )


def dapr_differences(protos: pathlib.Path, dapr: Declarations) -> list[str]:
    ours = compile_protos(protos, "dapr")
    return differences(ours, dapr, whole_services=WHOLE_SERVICES, newer_rpcs=NEWER_THAN_THE_PIN)


def test_dapr_protos_are_those_of_the_pinned_release(pinned_dapr):
    assert dapr_differences(PROTOS, pinned_dapr) == []


def test_methods_newer_than_the_pin_are_those_of_the_newer_release(newer_dapr):
    # Methods only: a newer release may add fields, which the one in use does not send.
    ours = compile_protos(PROTOS, "dapr")
    found = differences(ours, newer_dapr, whole_services=WHOLE_SERVICES)
    assert [line for line in found if line.startswith(("rpc", "service"))] == []


def test_newer_release_changes_no_field_that_we_know(newer_dapr):
    found = differences(compile_protos(PROTOS, "dapr"), newer_dapr)
    assert [line for line in found if not line.endswith(": missing")] == []


def test_google_rpc_protos_are_the_published_ones(google_rpc):
    assert differences(compile_protos(PROTOS, "google"), google_rpc) == []


def test_compared_release_is_the_one_that_is_run():
    def pin(module_file: pathlib.Path) -> str:
        return re.search(r"github\.com/dapr/dapr (v\S+)", module_file.read_text()).group(1)

    assert pin(DUMPER / "go.mod") == pin(REPOSITORY / "tools/dapr/go.mod")


# Each row: what is planted; the file, the text and what it becomes; the beginnings of all sentences expected.
RUNTIME_FOLDER = "dapr/proto/runtime/v1"
COMMON_FILE = "dapr/proto/common/v1/common.proto"
CALLBACK_FILE = f"{RUNTIME_FOLDER}/appcallback.proto"
DAPR_PLANTS = {
    "wrong field number": (
        CALLBACK_FILE,
        "string dead_letter_topic = 6;",
        "string dead_letter_topic = 4;",
        f"field {RUNTIME}.TopicSubscription.dead_letter_topic: number 4,",
    ),
    "wrong scalar type": (
        CALLBACK_FILE,
        "int32 max_messages_count = 2;",
        "int64 max_messages_count = 2;",
        f"field {RUNTIME}.BulkSubscribeConfig.max_messages_count: number 2, LABEL_OPTIONAL, TYPE_INT64",
    ),
    "string for bytes": (
        f"{RUNTIME_FOLDER}/pubsub.proto",
        "bytes event = 2;",
        "string event = 2;",
        f"field {RUNTIME}.BulkPublishRequestEntry.event: number 2, LABEL_OPTIONAL, TYPE_STRING",
    ),
    "wrong message type": (
        f"{RUNTIME_FOLDER}/state.proto",
        "common.v1.Etag etag = 3;",
        "common.v1.StateOptions etag = 3;",
        f"field {RUNTIME}.DeleteStateRequest.etag: number 3,",
    ),
    "wrong cardinality": (
        CALLBACK_FILE,
        "repeated string to = 3;",
        "string to = 3;",
        f"field {RUNTIME}.BindingEventResponse.to: number 3, LABEL_OPTIONAL",
    ),
    "optional left out": (
        COMMON_FILE,
        "optional uint32 max_retries = 2;",
        "uint32 max_retries = 2;",
        "field dapr.proto.common.v1.JobFailurePolicyConstant.max_retries: number 2,",
    ),
    "member outside of its oneof": (
        COMMON_FILE,
        "    JobFailurePolicyConstant constant = 2;\n  }",
        "  }\n  JobFailurePolicyConstant constant = 2;",
        "field dapr.proto.common.v1.JobFailurePolicy.constant: number 2,",
    ),
    "wrong map value": (
        f"{RUNTIME_FOLDER}/secret.proto",
        "map<string, string> secrets = 1;",
        "map<string, bytes> secrets = 1;",
        f"field {RUNTIME}.SecretResponse.SecretsEntry.value: number 2, LABEL_OPTIONAL, TYPE_BYTES",
    ),
    "misspelled field": (
        CALLBACK_FILE,
        "int32 max_await_duration_ms = 3;",
        "int32 max_wait_duration_ms = 3;",
        f"field {RUNTIME}.BulkSubscribeConfig.max_wait_duration_ms: they have none",
        f"field {RUNTIME}.BulkSubscribeConfig.max_await_duration_ms: missing",
    ),
    "field left out": (
        f"{RUNTIME_FOLDER}/jobs.proto",
        "bool overwrite = 2;",
        "",
        f"field {RUNTIME}.ScheduleJobRequest.overwrite: missing",
    ),
    "wrong JSON name": (
        f"{RUNTIME_FOLDER}/metadata.proto",
        '[json_name = "pubsubname"]',
        "",
        f"field {RUNTIME}.PubsubSubscription.pubsub_name: number 1,",
    ),
    "message they do not have": (
        f"{RUNTIME_FOLDER}/jobs.proto",
        "message DeleteJobResponse {}",
        "message DeleteJobResponse {}\nmessage DeleteJobReply {}",
        f"message {RUNTIME}.DeleteJobReply: they have none",
    ),
    "wrong enum value": (
        CALLBACK_FILE,
        "DROP = 2;",
        "DROP = 3;",
        f"enum value {RUNTIME}.TopicEventResponse.TopicEventResponseStatus.DROP: number 3",
    ),
    "enum value left out": (
        COMMON_FILE,
        "PATCH = 9;",
        "",
        "enum value dapr.proto.common.v1.HTTPExtension.Verb.PATCH: missing",
    ),
    "wrong stream kind of the request": (
        CALLBACK_FILE,
        "rpc OnTopicEvent(TopicEventRequest)",
        "rpc OnTopicEvent(stream TopicEventRequest)",
        f"rpc {RUNTIME}.AppCallback.OnTopicEvent: takes stream",
    ),
    "wrong stream kind of the response": (
        f"{RUNTIME_FOLDER}/dapr.proto",
        "returns (GetBulkStateResponse)",
        "returns (stream GetBulkStateResponse)",
        f"rpc {RUNTIME}.Dapr.GetBulkState: takes .{RUNTIME}.GetBulkStateRequest, returns stream",
    ),
    "wrong type of an rpc": (
        f"{RUNTIME_FOLDER}/dapr.proto",
        "rpc SaveState(SaveStateRequest)",
        "rpc SaveState(DeleteBulkStateRequest)",
        f"rpc {RUNTIME}.Dapr.SaveState: takes .{RUNTIME}.DeleteBulkStateRequest",
    ),
    "misspelled rpc": (
        f"{RUNTIME_FOLDER}/dapr.proto",
        "rpc BulkPublishEventAlpha1(",
        "rpc BulkPublishEventsAlpha1(",
        f"rpc {RUNTIME}.Dapr.BulkPublishEventsAlpha1: they have none",
    ),
    "callback left out": (
        CALLBACK_FILE,
        "rpc OnBindingEvent(BindingEventRequest) returns (BindingEventResponse) {}",
        "",
        f"rpc {RUNTIME}.AppCallback.OnBindingEvent: missing",
    ),
    "newer rpc left out": (
        f"{RUNTIME_FOLDER}/dapr.proto",
        "rpc GetJob(GetJobRequest) returns (GetJobResponse) {}",
        "",
        f"rpc {RUNTIME}.Dapr.GetJob: is listed as newer, but not declared",
    ),
    "misspelled service": (
        CALLBACK_FILE,
        "service AppCallbackHealthCheck {",
        "service AppCallbackHealth {",
        f"service {RUNTIME}.AppCallbackHealthCheck: missing",
        f"service {RUNTIME}.AppCallbackHealth: they have none",
    ),
}
GOOGLE_PLANTS = {
    "wrong field number": (
        "google/rpc/error_details.proto",
        "string reason = 3;",
        "string reason = 5;",
        "field google.rpc.BadRequest.FieldViolation.reason: number 5",
    ),
    "wrong type": (
        "google/rpc/status.proto",
        "int32 code = 1;",
        "sint32 code = 1;",
        "field google.rpc.Status.code: number 1, LABEL_OPTIONAL, TYPE_SINT32",
    ),
}


def plant(folder: pathlib.Path, file: str, text: str, replacement: str) -> pathlib.Path:
    """A copy of our protos with one text replaced."""
    copy = folder / "proto"
    for package in ("dapr", "google"):
        shutil.copytree(PROTOS / package, copy / package)
    content = (copy / file).read_text()
    assert content.count(text) == 1, f"{file} has not exactly one {text!r}"
    (copy / file).write_text(content.replace(text, replacement))
    return copy


def expect_only(found: list[str], beginnings: list[str]) -> None:
    assert len(found) == len(beginnings), found
    for line, beginning in zip(found, beginnings, strict=True):
        assert line.startswith(beginning)


@pytest.mark.parametrize("planted", DAPR_PLANTS.values(), ids=DAPR_PLANTS.keys())
def test_planted_difference_from_dapr_is_reported(planted, tmp_path, pinned_dapr):
    file, text, replacement, *beginnings = planted
    expect_only(dapr_differences(plant(tmp_path, file, text, replacement), pinned_dapr), beginnings)


@pytest.mark.parametrize("planted", GOOGLE_PLANTS.values(), ids=GOOGLE_PLANTS.keys())
def test_planted_difference_from_google_rpc_is_reported(planted, tmp_path, google_rpc):
    file, text, replacement, *beginnings = planted
    protos = plant(tmp_path, file, text, replacement)
    expect_only(differences(compile_protos(protos, "google"), google_rpc), beginnings)


def test_newer_method_that_the_release_has_is_reported(newer_dapr):
    found = dapr_differences(PROTOS, newer_dapr)
    stale = {line.split(":")[0] for line in found if "is listed as newer, but they have it" in line}
    assert stale == {f"rpc {name}" for name in NEWER_THAN_THE_PIN}
