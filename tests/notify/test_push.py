"""What HttpPushSender sends, read with other people's libraries, and what it makes of the answers."""

import json
import time

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from py_vapid import Vapid02
from py_vapid.utils import b64urldecode, b64urlencode

AUTH = bytes(range(16))
PAYLOAD = json.dumps({"title": "Gieß die Blumen ✓", "task_id": 7})


class Browser:
    """A subscription, and what the browser keeps to itself of it."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.subscription = {"p256dh": b64urlencode(point), "auth": b64urlencode(AUTH)}

    def read(self, body):
        return http_ece.decrypt(body, private_key=self.key, auth_secret=AUTH, version="aes128gcm")


@pytest.fixture
def browser():
    return Browser()


@pytest.fixture(scope="module")
def vapid():
    made = Vapid02()
    made.generate_keys()
    made.raw = b64urlencode(made.private_key.private_numbers().private_value.to_bytes(32, "big"))
    return made


@pytest.fixture
def send(senders, receiver, browser, vapid):
    def send_now(**changes):
        question = {
            "http": {"allowed_hosts": ["127.0.0.2"]},
            "vapid_key": vapid.raw,
            "contact": "mailto:ops@example.com",
            "payload": PAYLOAD,
            **browser.subscription,
        }
        return senders.push(receiver.url(path="/push/7"), **(question | changes))

    return send_now


def test_the_browser_reads_the_message(send, receiver, browser):
    answer = send(ttl=120, topic="task-7")
    assert (answer["kind"], answer["status"]) == ("delivered", 200)
    [(path, headers, body)] = receiver.requests
    assert path == "/push/7"
    assert browser.read(body).decode() == PAYLOAD
    assert headers["content-encoding"] == "aes128gcm"
    assert (headers["ttl"], headers["topic"], headers["urgency"]) == ("120", "task-7", "high")


@pytest.mark.parametrize("size", [0, 1, 3000])
def test_payloads_of_every_size_arrive(send, receiver, browser, size):
    assert send(payload="x" * size)["kind"] == "delivered"
    assert browser.read(receiver.requests[0][2]) == b"x" * size
    assert "topic" not in receiver.requests[0][1]


def test_no_two_messages_are_alike(send, receiver, browser):
    for _ in range(2):
        send()
    (_, _, first), (_, _, second) = receiver.requests
    assert first[:16] != second[:16]  # salt
    assert first[21:86] != second[21:86]  # the key of the message
    assert browser.read(first) == browser.read(second)


def test_nobody_else_reads_it(send, receiver):
    send()
    with pytest.raises(Exception):
        Browser().read(receiver.requests[0][2])


def claims(authorization):
    token = authorization.split("t=")[1].split(",")[0]
    return json.loads(b64urldecode(token.split(".")[1].encode()))


def test_the_push_service_knows_who_sends(send, receiver, vapid):
    send()
    authorization = receiver.requests[0][1]["authorization"]
    assert Vapid02.verify(authorization)
    point = vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert authorization.split("k=")[1] == b64urlencode(point)
    said = claims(authorization)
    assert said["aud"] == f"http://127.0.0.2:{receiver.server_port}"
    assert said["sub"] == "mailto:ops@example.com"
    assert 0 < said["exp"] - time.time() <= 24 * 3600
    # One changed letter is noticed.
    letter = authorization[60]
    forged = authorization[:60] + ("A" if letter != "A" else "B") + authorization[61:]
    assert not Vapid02.verify(forged)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_the_key_may_be_pem(send, receiver, vapid, form):
    pem = vapid.private_key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    assert send(vapid_key=pem)["kind"] == "delivered"
    assert Vapid02.verify(receiver.requests[0][1]["authorization"])


def test_a_key_of_another_curve_is_an_error(send):
    other = ec.generate_private_key(ec.SECP384R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert "P-256" in send(vapid_key=pem)["invalid"]


@pytest.mark.parametrize(
    "status, kind",
    [(200, "delivered"), (201, "delivered"), (202, "delivered"), (404, "gone"), (410, "gone")]
    + [(status, "refused") for status in (400, 401, 403, 405, 413)]
    + [(status, "retry") for status in (307, 408, 425, 429, 500, 502, 503)],
)
def test_what_an_answer_means(send, receiver, status, kind):
    receiver.answer = (status, {"retry-after": "30"}, b"")
    answer = send()
    assert (answer["kind"], answer["status"]) == (kind, status)
    assert answer["retry_after"] == (30 if kind == "retry" else None)


def test_it_goes_over_https(senders, tls_receiver, authority, browser, vapid):
    senders.resolve("push.test", ["127.0.0.2"])
    answer = senders.push(
        tls_receiver.url("push.test"),
        http={"allowed_hosts": ["127.0.0.2"], "ca_file": authority.ca_file},
        vapid_key=vapid.raw,
        payload=PAYLOAD,
        **browser.subscription,
    )
    assert answer["kind"] == "delivered"
    [(_, headers, _)] = tls_receiver.requests
    assert claims(headers["authorization"])["aud"] == f"https://push.test:{tls_receiver.server_port}"


def test_the_answer_of_the_push_service_is_kept_and_the_key_is_not(send, receiver, vapid):
    receiver.answer = (403, {}, b"the key is another than that of the subscription")
    answer = send()
    assert "another than that of the subscription" in answer["detail"]
    assert vapid.raw not in json.dumps(answer)
