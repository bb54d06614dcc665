#!/usr/bin/env python3
"""Stands in for todo-service where a test is about the runner: takes its flags, says "serving", is healthy for daprd.

Every call on the app port is answered with an empty message, which for Dapr means "healthy" and "no subscriptions".
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc


class AnswerEverything(grpc.GenericRpcHandler):
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(lambda request, context: b"")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--app-port", required=True)
    parser.add_argument("--api-port", required=True)
    ports, _ = parser.parse_known_args()
    assert os.environ["TODO_DATABASE_URL"] and os.environ["APP_API_TOKEN"] and os.environ["DAPR_API_TOKEN"]

    asked_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_end.set())
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((AnswerEverything(),))
    server.add_insecure_port(f"127.0.0.1:{ports.app_port}")
    server.add_insecure_port(f"127.0.0.1:{ports.api_port}")
    server.start()
    print(json.dumps({"event": "serving"}), file=sys.stderr, flush=True)
    asked_to_end.wait()
    server.stop(grace=1).wait()


if __name__ == "__main__":
    main()
