"""A sidecar in front of the sidecar: hands every call on to daprd, and answers conversations itself."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from todo_client import protos

CONVERSE = "/dapr.proto.runtime.v1.Dapr/ConverseAlpha2"

# From a request to the functions to call: name and JSON of each.
Choose = Callable[[Any], list[tuple[str, str]]]


class StandIn(grpc.GenericRpcHandler):
    """`target` tells where daprd is; `choose` plays the model."""

    def __init__(self, target: Callable[[], str]) -> None:
        protos()
        from dapr.proto.runtime.v1 import conversation_pb2  # compiled by protos()

        self.messages = conversation_pb2
        self.choose: Choose = lambda _: []
        self.requests: list[Any] = []
        self._target = target
        self._channel: grpc.Channel | None = None
        self._server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = handler_call_details.method
        metadata = [(key, value) for key, value in handler_call_details.invocation_metadata if not key.startswith("grpc-")
                    and key != "user-agent"]
        if method == CONVERSE:
            return grpc.unary_unary_rpc_method_handler(lambda request, _: self._converse(request))
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._hand_on(method, metadata, request, context))

    def close(self) -> None:
        self._server.stop(grace=None).wait()
        if self._channel:
            self._channel.close()

    def _converse(self, encoded: bytes) -> bytes:
        request = self.messages.ConversationRequestAlpha2.FromString(encoded)
        self.requests.append(request)
        response = self.messages.ConversationResponseAlpha2()
        message = response.outputs.add().choices.add().message
        for name, arguments in self.choose(request):
            message.tool_calls.add().function.MergeFrom(
                self.messages.ConversationToolCallsOfFunction(name=name, arguments=arguments))
        return response.SerializeToString()

    def _hand_on(self, method: str, metadata: list[Any], request: bytes, context: grpc.ServicerContext) -> bytes:
        if self._channel is None:
            self._channel = grpc.insecure_channel(self._target())
        try:
            return self._channel.unary_unary(method)(request, metadata=metadata, timeout=context.time_remaining())
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
            raise AssertionError("abort raises") from error
