import http.server
import pathlib
import socket
import ssl
import sys
import threading

import pytest
import trustme

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "notify"), str(TESTS / "support")]

from senders import Senders  # noqa: E402

# Receivers listen here; nobody but the operator's list lets a sender talk to it.
RECEIVER_ADDRESS = "127.0.0.2"


@pytest.fixture
def senders():
    running = Senders()
    yield running
    running.close()


class Receiver(http.server.ThreadingHTTPServer):
    """Notes each request; answers with what a test has put into `answer`."""

    daemon_threads = True

    def __init__(self, address, context=None):
        self.requests = []
        self.answer = (200, {}, b"")  # or a function of the handler that writes the answer itself
        super().__init__((address, 0), Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "http" if context is None else "https"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def url(self, host=RECEIVER_ADDRESS, path="/hook"):
        return f"{self.scheme}://{host}:{self.server_port}{path}"

    def handle_error(self, request, client_address):
        pass  # handshakes that the client ends are what some tests want

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append((self.path, self.headers, body))
        self.close_connection = True
        answer = self.server.answer
        if callable(answer):
            return answer(self)
        status, headers, content = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    running = Receiver(RECEIVER_ADDRESS)
    yield running
    running.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority that the system does not know, with its PEM file as `ca_file`."""
    made = trustme.CA()
    made.ca_file = str(tmp_path_factory.mktemp("authority") / "ca.pem")
    made.cert_pem.write_to_path(made.ca_file)
    return made


@pytest.fixture(scope="session")
def server_context(authority):
    """A TLS context for servers called hooks.test, push.test or mail.test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.test", "push.test", "mail.test").configure_cert(context)
    return context


@pytest.fixture
def tls_receiver(server_context):
    running = Receiver(RECEIVER_ADDRESS, server_context)
    yield running
    running.close()


class Canary:
    """Listens where no sender may ever connect to: on 127.0.0.1 and ::1, on one port."""

    def __init__(self):
        self._v4 = socket.create_server(("127.0.0.1", 0))
        self.port = self._v4.getsockname()[1]
        self._sockets = [self._v4]
        try:
            self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        except OSError:
            pass  # a machine without IPv6

    def visitors(self):
        """How many connections wait; the kernel completes them without us."""
        count = 0
        for listening in self._sockets:
            listening.settimeout(0)
            while True:
                try:
                    listening.accept()[0].close()
                    count += 1
                except BlockingIOError:
                    break
        return count

    def close(self):
        for listening in self._sockets:
            listening.close()


@pytest.fixture
def canary():
    listening = Canary()
    yield listening
    listening.close()
