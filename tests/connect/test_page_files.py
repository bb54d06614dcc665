"""The page's files and its settings, as a plain HTTP client gets them from the web port."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from service_binary import binary

from tools.stack import Stack

REPOSITORY = Path(__file__).resolve().parents[2]
WEB = REPOSITORY / "web"
VIEWS = ["/", "/today", "/upcoming", "/all", "/done", "/tag/home", "/tag/caf%C3%A9", "/search?q=milk", "/task/1", "/chat",
         "/usage", "/notifications", "/preferences", "/operator", "/about", "/signed-in?code=1&state=2"]
LIBRARIES = {"/lib/preact.js": "text/javascript", "/lib/uplot.js": "text/javascript", "/lib/uplot.css": "text/css",
             "/lib/licences.txt": "text/plain"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'{more}; "
          "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
          "require-trusted-types-for 'script'; trusted-types todo-page")


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()


class Page:
    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        with connection.getresponse() as response:
            return Answer(response)

    def settings(self) -> dict[str, str]:
        return json.loads(self.ask("/settings.json").body)


@pytest.fixture
def page(stack: Stack) -> Page:
    return Page(stack.ports["web-0"])


def test_every_file_of_the_page_is_there(page: Page) -> None:
    files = [path for path in WEB.rglob("*") if path.is_file()]
    assert files
    for path in files:
        answer = page.ask(f"/{path.relative_to(WEB)}")
        assert (answer.status, answer.body) == (200, path.read_bytes()), path
        # What a document or a worker is made of; scripts and styles are under the policy of their document.
        if path.suffix not in (".js", ".css") or path.name == "sw.js":
            assert answer.headers["content-security-policy"] == POLICY.format(more="")


@pytest.mark.parametrize("path", VIEWS)
def test_every_view_begins_with_index_html(page: Page, path: str) -> None:
    answer = page.ask(path)
    assert (answer.status, answer.body) == (200, (WEB / "index.html").read_bytes())
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("path", "kind"), LIBRARIES.items())
def test_the_libraries_are_packed_and_known_again(page: Page, path: str, kind: str) -> None:
    plain = page.ask(path)
    packed = page.ask(path, accept_encoding="gzip, deflate, br")
    assert plain.headers["content-type"] == f"{kind}; charset=utf-8"
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["vary"] == "accept-encoding" and packed.headers["etag"] == plain.headers["etag"]
    again = page.ask(path, accept_encoding="gzip", if_none_match=packed.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == packed.headers["etag"]
    assert page.ask(path, if_none_match='"another"').status == 200


def test_the_licences_are_those_of_all_that_is_in_the_libraries(page: Page) -> None:
    text = page.ask("/lib/licences.txt").body.decode()
    for part in ("htm (Apache License 2.0)", "preact (MIT)", "Jason Miller", "uplot (MIT)", "Leon Sorokin"):
        assert part in text


def test_a_head_is_the_answer_without_its_body(page: Page) -> None:
    whole, head = (page.ask("/lib/preact.js", method, accept_encoding="gzip") for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(whole.body)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        refused = page.ask("/", method)
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/app", "/today/", "/tag/", "/task/1/2", "/lib", "/lib/", "/lib/htm.js", "/../etc/passwd",
                                  "/lib/../../etc/passwd", "/%2e%2e/etc/passwd", "/..%2fetc%2fpasswd", "/lib/preact.js/",
                                  "//lib/preact.js", "/lib//preact.js", "/.git/config", "/index.html%00", "/CMakeLists.txt",
                                  "/todo.v1.TodoService", "/metrics"])
def test_nothing_else_is_there(page: Page, path: str) -> None:
    answer = page.ask(path)
    assert answer.status == 404 and answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"] == POLICY.format(more="")


def test_browsers_are_told_to_be_careful(page: Page) -> None:
    for path in ("/", "/lib/preact.js", "/settings.json"):
        headers = page.ask(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        if not path.endswith(".js"):
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert "camera=()" in headers["permissions-policy"]


def test_the_page_of_another_site_reads_nothing(page: Page) -> None:
    headers = page.ask("/settings.json", origin="https://evil.example").headers
    assert "access-control-allow-origin" not in headers


def test_with_the_development_identity_a_name_is_enough(page: Page) -> None:
    settings = page.settings()
    assert settings["identity"] == "development" and settings["version"]
    assert (settings["issuer"], settings["clientId"], settings["scopes"], settings["vapidKey"]) == ("", "", "", "")
    answer = page.ask("/settings.json")
    assert answer.headers["content-type"] == "application/json" and answer.headers["cache-control"] == "no-cache"


def test_those_who_do_not_read_hold_nobody_up(page: Page) -> None:
    idle = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(200)]
    try:
        for connection in idle:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(b"GET /lib/uplot.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 8)
        begin = time.monotonic()
        for path in VIEWS:
            assert page.ask(path).status == 200
        assert time.monotonic() - begin < 5
    finally:
        for connection in idle:
            connection.close()


@contextmanager
def lone_service(*flags: str) -> Iterator[Page]:
    """The program alone: its page is there before it has a database."""
    loopback = [f"--{name}-address=127.0.0.1" for name in ("app", "api", "web", "ops")]
    process = subprocess.Popen(
        [binary(), *loopback, *(f"--{name}-port=0" for name in ("app", "api", "web", "ops")),
         "--database-url=postgresql://nobody@127.0.0.1:1/none", *flags],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        assert process.stderr is not None
        events = (json.loads(line) for line in process.stderr if line.startswith("{"))
        listening = next(event for event in events if event["event"] == "listening")
        yield Page(listening["web_port"])
    finally:
        process.kill()
        process.communicate()


def test_without_a_client_the_user_brings_a_token() -> None:
    with lone_service("--auth-issuer=https://id.example") as page:
        assert page.settings()["identity"] == "token"
        assert page.ask("/").headers["content-security-policy"] == POLICY.format(more="")


def test_a_client_signs_in_with_its_issuer_and_may_call_it() -> None:
    with lone_service("--auth-issuer=https://id.example/realms/todo", "--oidc-client-id=todo-page",
                      "--oidc-origins=https://token.example", "--oidc-parameters=audience=https://todo.example") as page:
        settings = page.settings()
        assert settings["identity"] == "oidc"
        assert settings["issuer"] == "https://id.example/realms/todo"
        assert (settings["clientId"], settings["scopes"]) == ("todo-page", "openid profile offline_access")
        assert settings["parameters"] == {"audience": "https://todo.example"}
        assert (settings["operatorClaim"], settings["operatorValues"]) == ("roles", ["todo-operator"])
        assert page.ask("/today").headers["content-security-policy"] == POLICY.format(
            more=" https://id.example https://token.example")
