"""Compares two sets of protobuf descriptors: what one peer declares against what the other does.

Everything that decides how bytes are read is compared, plus names, since JSON and reflection use them.
Comments, options of code generators and the order of declarations are not.
"""

import os
import pathlib
import subprocess
from collections.abc import Iterable, Iterator

from google.protobuf import descriptor_pb2

Field = descriptor_pb2.FieldDescriptorProto


class Declarations:
    """Messages, enums and services of a FileDescriptorSet, by full name. The well-known types are left out."""

    def __init__(self, files: Iterable[descriptor_pb2.FileDescriptorProto]):
        self.messages: dict[str, descriptor_pb2.DescriptorProto] = {}
        self.enums: dict[str, descriptor_pb2.EnumDescriptorProto] = {}
        self.services: dict[str, descriptor_pb2.ServiceDescriptorProto] = {}
        self.syntax: dict[str, str] = {}
        for file in files:
            if file.name.startswith("google/protobuf/"):
                continue
            for enum in file.enum_type:
                self.enums[f"{file.package}.{enum.name}"] = enum
            for service in file.service:
                self.services[f"{file.package}.{service.name}"] = service
            for message in file.message_type:
                self._add_message(file.package, message, file.syntax)

    def _add_message(self, scope: str, message: descriptor_pb2.DescriptorProto, syntax: str) -> None:
        name = f"{scope}.{message.name}"
        self.messages[name] = message
        self.syntax[name] = syntax
        for enum in message.enum_type:
            self.enums[f"{name}.{enum.name}"] = enum
        for nested in message.nested_type:
            self._add_message(name, nested, syntax)


def from_descriptor_set(encoded: bytes) -> Declarations:
    return Declarations(descriptor_pb2.FileDescriptorSet.FromString(encoded).file)


def compile_protos(root: pathlib.Path, folder: str) -> Declarations:
    """Compiles every proto below root/folder."""
    protos = sorted(str(path.relative_to(root)) for path in (root / folder).rglob("*.proto"))
    assert protos, f"no protos in {root / folder}"
    protoc = os.environ.get("PROTOC", "protoc")
    command = [protoc, "-I", str(root), "--include_imports", "--descriptor_set_out=/dev/stdout", *protos]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return from_descriptor_set(done.stdout)


def differences(
    ours: Declarations,
    theirs: Declarations,
    *,
    whole_services: Iterable[str] = (),
    newer_rpcs: Iterable[str] = (),
) -> list[str]:
    """One sentence for each difference; empty when every peer of `theirs` understands `ours`.

    A message or enum that we declare must be complete, since a field left out is one silently not read. A service may
    be a part of theirs, unless it is in `whole_services`. `newer_rpcs` are those they are known not to have yet.
    """
    return [
        *_message_differences(ours, theirs),
        *_enum_differences(ours, theirs),
        *_service_differences(ours, theirs, set(whole_services), set(newer_rpcs)),
    ]


def _message_differences(ours: Declarations, theirs: Declarations) -> Iterator[str]:
    for name, our_message in ours.messages.items():
        their_message = theirs.messages.get(name)
        if their_message is None:
            yield f"message {name}: they have none"
            continue
        if ours.syntax[name] != theirs.syntax[name]:
            yield f"message {name}: syntax {ours.syntax[name]}, theirs {theirs.syntax[name]}"
        if our_message.options.map_entry != their_message.options.map_entry:
            yield f"message {name}: map entry {our_message.options.map_entry}"
        our_fields = {field.name: _describe(our_message, field) for field in our_message.field}
        their_fields = {field.name: _describe(their_message, field) for field in their_message.field}
        yield from _compare_maps(f"field {name}", our_fields, their_fields)


def _describe(message: descriptor_pb2.DescriptorProto, field: Field) -> str:
    """All that matters of a field, in words: equal texts mean equal wire and JSON forms."""
    words = [f"number {field.number}", Field.Label.Name(field.label), field.type_name or Field.Type.Name(field.type)]
    if field.type_name:
        words.append(Field.Type.Name(field.type))
    if field.proto3_optional:
        words.append("optional")
    elif field.HasField("oneof_index"):
        words.append(f"in oneof {message.oneof_decl[field.oneof_index].name}")
    if field.options.HasField("packed"):
        words.append(f"packed {field.options.packed}")
    if field.options.deprecated:
        words.append("deprecated")
    words.append(f"JSON name {field.json_name or _default_json_name(field.name)}")
    return ", ".join(words)


def _default_json_name(name: str) -> str:
    """What protoc derives; descriptors from other generators leave it out."""
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


def _enum_differences(ours: Declarations, theirs: Declarations) -> Iterator[str]:
    for name, our_enum in ours.enums.items():
        their_enum = theirs.enums.get(name)
        if their_enum is None:
            yield f"enum {name}: they have none"
            continue
        yield from _compare_maps(
            f"enum value {name}",
            {value.name: f"number {value.number}" for value in our_enum.value},
            {value.name: f"number {value.number}" for value in their_enum.value},
        )


def _service_differences(
    ours: Declarations, theirs: Declarations, whole: set[str], newer: set[str]
) -> Iterator[str]:
    for name in sorted(whole - ours.services.keys()):
        yield f"service {name}: missing"
    for name, our_service in ours.services.items():
        their_service = theirs.services.get(name)
        if their_service is None:
            yield f"service {name}: they have none"
            continue
        our_rpcs = {rpc.name: _describe_rpc(rpc) for rpc in our_service.method}
        their_rpcs = {rpc.name: _describe_rpc(rpc) for rpc in their_service.method}
        for rpc in our_rpcs.keys() & their_rpcs.keys():
            if f"{name}.{rpc}" in newer:
                yield f"rpc {name}.{rpc}: is listed as newer, but they have it"
        known = {rpc: words for rpc, words in our_rpcs.items() if f"{name}.{rpc}" not in newer}
        if name not in whole:
            their_rpcs = {rpc: words for rpc, words in their_rpcs.items() if rpc in known}
        yield from _compare_maps(f"rpc {name}", known, their_rpcs)
    declared = {f"{name}.{rpc.name}" for name, service in ours.services.items() for rpc in service.method}
    for rpc in sorted(newer - declared):
        yield f"rpc {rpc}: is listed as newer, but not declared"


def _describe_rpc(rpc: descriptor_pb2.MethodDescriptorProto) -> str:
    def stream(flag: bool) -> str:
        return "stream " if flag else ""

    return (
        f"takes {stream(rpc.client_streaming)}{rpc.input_type}, returns {stream(rpc.server_streaming)}{rpc.output_type}"
    )


def _compare_maps(what: str, ours: dict[str, str], theirs: dict[str, str]) -> Iterator[str]:
    for name, our_words in ours.items():
        if name not in theirs:
            yield f"{what}.{name}: they have none"
        elif our_words != theirs[name]:
            yield f"{what}.{name}: {our_words}; theirs: {theirs[name]}"
    for name in theirs:
        if name not in ours:
            yield f"{what}.{name}: missing"
