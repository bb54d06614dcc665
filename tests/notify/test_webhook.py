"""What HttpWebhookSender sends, and what it makes of the answers."""

import base64
import datetime
import email.utils
import json
import os
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from senders import Senders

LISTED = {"allowed_hosts": ["127.0.0.2"]}
SECRETS = [base64.b64encode(os.urandom(32)).decode() for _ in range(3)]


def test_somebody_elses_library_verifies_the_signature_of_each_secret(senders, receiver):
    body = json.dumps({"type": "todo.reminder.due.v1", "data": {"title": "Gieß die Blumen ✓ \\ \""}})
    answer = senders.webhook(receiver.url(path="/a?b=c"), http=LISTED, id="msg_7", body=body, secrets=SECRETS[:2])
    assert (answer["kind"], answer["status"]) == ("delivered", 200)
    [(path, headers, received)] = receiver.requests
    assert path == "/a?b=c"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "todo-service"
    assert headers["webhook-id"] == "msg_7"
    for secret in SECRETS[:2]:
        assert Webhook("whsec_" + secret).verify(received, dict(headers)) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + SECRETS[2]).verify(received, dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + SECRETS[0]).verify(received + b" ", dict(headers))
    assert not any(secret in json.dumps(answer) for secret in SECRETS)


def test_a_webhook_tells_its_place_in_a_trace_if_it_has_one(senders, receiver):
    place = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    senders.webhook(receiver.url(), http=LISTED, body="{}", secrets=SECRETS[:1])
    senders.webhook(receiver.url(), http=LISTED, body="{}", secrets=SECRETS[:1], traceparent=place)
    assert [headers.get("traceparent") for _, headers, _ in receiver.requests] == [None, place]


@pytest.mark.parametrize(
    "status, kind",
    [(200, "delivered"), (201, "delivered"), (204, "delivered"), (410, "gone")]
    + [(status, "retry") for status in (300, 400, 401, 403, 404, 405, 413, 422, 429, 500, 502, 503, 504)],
)
def test_what_an_answer_means(senders, receiver, status, kind):
    receiver.answer = (status, {}, b"")
    answer = senders.webhook(receiver.url(), http=LISTED)
    assert (answer["kind"], answer["status"]) == (kind, status)
    assert answer["detail"].startswith(f"HTTP {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(senders, receiver, canary, status):
    receiver.answer = (status, {"location": f"http://127.0.0.1:{canary.port}/"}, b"")
    answer = senders.webhook(receiver.url(), http={"allowed_hosts": ["127.0.0.0/8"], "timeout_ms": 3000})
    assert (answer["kind"], answer["status"]) == ("retry", status)
    assert "redirect" in answer["detail"]
    assert answer["connects"] == [f"127.0.0.2:{receiver.server_port}"]
    assert canary.visitors() == 0


@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_is_read_in_seconds(senders, receiver, status):
    receiver.answer = (status, {"retry-after": "120"}, b"")
    assert senders.webhook(receiver.url(), http=LISTED)["retry_after"] == 120


def test_retry_after_is_read_as_a_date(senders, receiver):
    at = time.time() + 3600
    receiver.answer = (503, {"retry-after": email.utils.formatdate(at, usegmt=True)}, b"")
    seconds = senders.webhook(receiver.url(), http=LISTED)["retry_after"]
    assert 0 < seconds <= 3600
    # The rest is what has passed since.
    assert abs(time.time() + seconds - at) < 60


@pytest.mark.parametrize(
    "value, seconds",
    [
        ("99999999999", 86400),
        ("Fri, 31 Dec 2999 23:59:59 GMT", 86400),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_never_more_than_a_day(senders, receiver, value, seconds):
    receiver.answer = (503, {"retry-after": value}, b"")
    assert senders.webhook(receiver.url(), http=LISTED)["retry_after"] == seconds


def test_a_delivered_or_ended_webhook_waits_for_nothing(senders, receiver):
    for status in (200, 410):
        receiver.answer = (status, {"retry-after": "60"}, b"")
        assert senders.webhook(receiver.url(), http=LISTED)["retry_after"] is None


def test_the_answers_text_is_quoted_briefly_as_one_line_of_utf8(senders, receiver):
    receiver.answer = (500, {}, "no\r\nplace \x1b[31m für dich ".encode() + b"\xff" + b"x" * 5000)
    detail = senders.webhook(receiver.url(), http=LISTED)["detail"]
    assert detail.startswith("HTTP 500: no  place  [31m für dich ?xxx")
    assert len(detail.encode()) <= 500


def write_forever(line, head=b""):
    def write(handler):
        try:
            handler.wfile.write(head)
            while True:
                handler.wfile.write(line)
        except OSError:
            handler.server.given_up = True

    return write


# Each of them would go on until the timeout of 15 s, or fill the memory.
def test_a_body_without_end_is_cut_and_the_status_counts(senders, receiver):
    receiver.answer = write_forever(b"x" * 65536, head=b"HTTP/1.1 200 OK\r\n\r\n")
    answer = senders.webhook(receiver.url(), http={**LISTED, "timeout_ms": 300_000})
    assert (answer["kind"], answer["status"]) == ("delivered", 200)


def test_headers_without_end_are_cut(senders, receiver):
    receiver.answer = write_forever(b"x-a: " + b"b" * 1000 + b"\r\n", head=b"HTTP/1.1 200 OK\r\n")
    answer = senders.webhook(receiver.url(), http={**LISTED, "timeout_ms": 300_000})
    assert (answer["kind"], answer["status"]) == ("retry", 0)


def test_preliminary_answers_without_end_are_cut(senders, receiver):
    receiver.answer = write_forever(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
    answer = senders.webhook(receiver.url(), http={**LISTED, "timeout_ms": 300_000})
    assert answer["kind"] == "retry"


def test_a_tarpit_costs_no_more_than_the_timeout(senders, receiver):
    receiver.answer = lambda handler: handler.connection.recv(1)  # until the sender hangs up
    answer = senders.webhook(receiver.url(), http={**LISTED, "timeout_ms": 300})
    assert (answer["kind"], answer["status"]) == ("retry", 0)
    assert "timed out" in answer["detail"]


def test_a_name_server_that_is_silent_costs_no_more_than_the_timeout(senders):
    senders.resolve("hooks.test", ["hang"])  # for ten minutes
    answer = senders.webhook("https://hooks.test/", http={"timeout_ms": 300})
    assert (answer["kind"], answer["connects"]) == ("retry", [])


def test_a_body_that_never_comes_does_not_undo_the_status(senders, receiver):
    def answer_without_body(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
        handler.connection.recv(1)

    receiver.answer = answer_without_body
    answer = senders.webhook(receiver.url(), http={**LISTED, "timeout_ms": 500})
    assert (answer["kind"], answer["status"]) == ("delivered", 200)


@pytest.mark.parametrize("text", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200", b"SSH-2.0-x\r\n"])
def test_an_answer_that_is_no_http_is_tried_again(senders, receiver, text):
    receiver.answer = lambda handler: handler.wfile.write(text)
    answer = senders.webhook(receiver.url(), http=LISTED)
    assert (answer["kind"], answer["status"]) == ("retry", 0)


def test_https_is_verified(senders, tls_receiver, authority):
    trusted = {"allowed_hosts": ["hooks.test", "other.test"], "ca_file": authority.ca_file}
    senders.resolve("hooks.test", ["127.0.0.2"])
    senders.resolve("other.test", ["127.0.0.2"])
    assert senders.webhook(tls_receiver.url("hooks.test"), http=trusted)["kind"] == "delivered"
    assert len(tls_receiver.requests) == 1
    # another name than the certificate's; an authority that the system does not know
    untrusted = {"allowed_hosts": ["hooks.test"]}
    for host, options in (("other.test", trusted), ("hooks.test", untrusted)):
        answer = senders.webhook(tls_receiver.url(host), http=options)
        assert (answer["kind"], answer["status"]) == ("retry", 0)
    assert len(tls_receiver.requests) == 1


def test_proxies_of_the_environment_are_not_used(receiver, canary):
    proxy = f"http://127.0.0.1:{canary.port}"
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY")
    senders = Senders(env={name: proxy for name in names} | {"no_proxy": "", "NO_PROXY": ""})
    try:
        assert senders.webhook(receiver.url(), http=LISTED)["kind"] == "delivered"
        assert senders.webhook("https://192.88.1.1/")["connects"] == ["192.88.1.1:443"]
    finally:
        senders.close()
    assert canary.visitors() == 0


def test_each_attempt_has_a_connection_of_its_own(senders, receiver):
    for _ in range(2):
        answer = senders.webhook(receiver.url(), http=LISTED)
        assert answer["connects"] == [f"127.0.0.2:{receiver.server_port}"]


def test_the_timestamp_is_of_the_attempt(senders, receiver):
    senders.webhook(receiver.url(), http=LISTED)
    sent = datetime.datetime.fromtimestamp(int(receiver.requests[0][1]["webhook-timestamp"]), datetime.timezone.utc)
    assert abs(datetime.datetime.now(datetime.timezone.utc) - sent) < datetime.timedelta(minutes=1)
