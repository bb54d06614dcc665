"""What SmtpMailer sends, received by aiosmtpd, and what it makes of the server's replies."""

import datetime
import email
import email.policy
import email.utils
import json
import socket
import threading

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PASSWORD = "correct horse battery staple"


class Mailbox:
    """Keeps the mails; `replies` says what to answer to RCPT, MAIL or DATA instead of 250."""

    def __init__(self):
        self.mails = []
        self.replies = {}
        self.logins = []

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self.replies.get("RCPT", "250 OK")
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        reply = self.replies.get("DATA", "250 2.0.0 taken")
        if reply.startswith("2"):
            self.mails.append(envelope)
        return reply

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    def only(self):
        [envelope] = self.mails
        return envelope, email.message_from_bytes(envelope.content, policy=email.policy.default)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def serve(mailbox):
    """Starts a server for the mailbox and gives the options with which to reach it."""
    running = []

    def start(security, context=None, with_login=False):
        arguments = {}
        if security == "tls":
            arguments["ssl_context"] = context
        elif context is not None:
            arguments.update(tls_context=context, require_starttls=security == "starttls")
        if with_login:
            arguments.update(
                authenticator=mailbox.authenticate, auth_required=True, auth_require_tls=security == "starttls"
            )
        server = Controller(mailbox, hostname="127.0.0.1", port=free_port(), ready_timeout=60, **arguments)
        server.start()
        running.append(server)
        return {"host": "mail.test", "port": server.port, "security": security}

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def plain(serve, senders):
    senders.resolve("mail.test", ["127.0.0.1"])
    return serve("plain")


@pytest.fixture
def secure(serve, senders, server_context, authority):
    """STARTTLS and a login, as an operator would have it."""
    senders.resolve("mail.test", ["127.0.0.1"])
    options = serve("starttls", server_context, with_login=True)
    return options | {"ca_file": authority.ca_file, "user": "todo", "password": PASSWORD}


def test_a_mail_arrives_over_starttls_with_a_login(senders, secure, mailbox):
    body = "Gieß die Blumen ✓\n\n.\nFrom the start: " + "x" * 2000 + "\n"
    subject = "Gieß die Blumen ✓ " + "und die Bäume im Garten hinter dem Haus " * 5
    answer = senders.mail(
        smtp=secure | {"from": "todo@todo.example", "from_name": "Todo, für alle"},
        message_id="reminder.7@todo.example",
        to="ada@example.com",
        subject=subject,
        text=body,
        html="<p>Gieß die <b>Blumen</b> ✓</p>",
        list_unsubscribe="https://todo.example/unsubscribe?token=" + "t" * 200,
    )
    assert (answer["kind"], answer["status"]) == ("delivered", 250), answer
    assert mailbox.logins == [(b"todo", PASSWORD.encode())]
    envelope, mail = mailbox.only()
    assert (envelope.mail_from, envelope.rcpt_tos) == ("todo@todo.example", ["ada@example.com"])
    [sender] = mail["from"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Todo, für alle", "todo@todo.example")
    assert mail["to"] == "ada@example.com"
    assert mail["subject"] == subject
    assert mail["message-id"] == "<reminder.7@todo.example>"
    assert mail["list-unsubscribe"] == "<https://todo.example/unsubscribe?token=" + "t" * 200 + ">"
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert mail["auto-submitted"] == "auto-generated"
    age = datetime.datetime.now(datetime.timezone.utc) - mail["date"].datetime
    assert abs(age) < datetime.timedelta(minutes=1)
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert text.get_content().replace("\r\n", "\n") == body
    assert html.get_content_type() == "text/html"
    assert html.get_content() == "<p>Gieß die <b>Blumen</b> ✓</p>"
    assert not mail.defects and not any(part.defects for part in mail.walk())


@pytest.mark.parametrize("security", ["tls", "plain"])
def test_the_other_ways_to_a_server(senders, serve, mailbox, server_context, authority, security):
    senders.resolve("mail.test", ["127.0.0.1"])
    options = serve(security, server_context if security == "tls" else None)
    answer = senders.mail(smtp=options | {"ca_file": authority.ca_file}, subject="x", text="y", html="z")
    assert answer["kind"] == "delivered", answer
    assert mailbox.only()[1]["subject"] == "x"


def test_no_text_adds_a_recipient_or_a_header(senders, plain, mailbox):
    answer = senders.mail(
        smtp=plain | {"from_name": "Todo\r\nBcc: eve@example.com"},
        subject="x\r\nBcc: eve@example.com\r\n\r\nbody",
        text="a\r\n.\r\nMAIL FROM:<eve@example.com>\r\n",
        html="--=_alternative--\r\n",
    )
    assert answer["kind"] == "delivered"
    envelope, mail = mailbox.only()
    assert envelope.rcpt_tos == ["ada@example.com"]
    assert mail["bcc"] is None
    assert mail["subject"] == "x  Bcc: eve@example.com    body"
    text, html = mail.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == "a\n.\nMAIL FROM:<eve@example.com>\n"
    assert html.get_content().strip() == "--=_alternative--"


@pytest.mark.parametrize("to", ["ada@example.com\r\nRCPT TO:<eve@example.com>", "a@b,c@d", "<a@b>", "ada", "ä@b.de"])
def test_an_address_that_is_none_is_refused_unsent(senders, plain, mailbox, to):
    answer = senders.mail(smtp=plain, to=to)
    assert (answer["kind"], answer["status"], answer["connects"]) == ("refused", 0, [])
    assert mailbox.mails == []


@pytest.mark.parametrize(
    "command, reply, kind",
    [
        ("RCPT", "450 4.2.1 mailbox busy", "retry"),
        ("RCPT", "451 4.7.1 greylisted, come back later", "retry"),
        ("RCPT", "452 4.2.2 mailbox full", "retry"),
        ("RCPT", "550 5.1.1 no such user", "gone"),
        ("RCPT", "550-5.1.1 no such\r\n550 5.1.1 user", "gone"),
        ("RCPT", "553 5.1.2 no such domain", "gone"),
        ("RCPT", "556 5.1.10 takes no mail", "gone"),
        ("RCPT", "550 5.7.1 not for you", "refused"),
        ("RCPT", "550 no such user", "refused"),
        ("RCPT", "552 5.2.2 mailbox full", "refused"),
        ("RCPT", "550 5.1.10x", "refused"),
        ("MAIL", "550 5.1.8 bad sender", "refused"),
        ("MAIL", "530 5.7.0 authentication required", "retry"),
        ("MAIL", "421 4.3.2 shutting down", "retry"),
        ("DATA", "451 4.3.0 try again", "retry"),
        ("DATA", "554 5.7.1 spam", "refused"),
        ("DATA", "552 5.3.4 too big", "refused"),
    ],
)
def test_what_a_reply_means(senders, plain, mailbox, command, reply, kind):
    mailbox.replies[command] = reply
    answer = senders.mail(smtp=plain, subject="x", text="y", html="z")
    assert (answer["kind"], answer["status"]) == (kind, int(reply[:3])), answer
    assert answer["detail"] == "SMTP " + reply.splitlines()[-1]
    assert mailbox.mails == []


def test_a_login_that_is_not_taken_is_no_fault_of_the_mail(senders, secure, mailbox):
    answer = senders.mail(smtp=secure | {"password": "wrong secret"}, subject="x")
    assert (answer["kind"], answer["status"]) == ("retry", 535), answer
    assert mailbox.logins and mailbox.mails == []
    assert "wrong secret" not in json.dumps(answer)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_nothing_is_sent_to_a_server_without_starttls(senders, serve, mailbox):
    senders.resolve("mail.test", ["127.0.0.1"])
    options = serve("plain", with_login=True) | {"security": "starttls", "user": "todo", "password": PASSWORD}
    answer = senders.mail(smtp=options, subject="x")
    assert answer["kind"] == "retry", answer
    assert (mailbox.logins, mailbox.mails) == ([], [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_server_must_be_who_it_says(senders, serve, mailbox, server_context, authority, security):
    senders.resolve("mail.test", ["127.0.0.1"])
    senders.resolve("other.test", ["127.0.0.1"])
    options = serve(security, server_context)
    assert senders.mail(smtp=options, subject="x")["kind"] == "retry"  # an unknown authority
    other = options | {"host": "other.test", "ca_file": authority.ca_file}
    assert senders.mail(smtp=other, subject="x")["kind"] == "retry"  # another name
    assert mailbox.mails == []


def test_a_password_is_never_sent_in_the_clear(senders):
    answer = senders.mail(smtp={"security": "plain", "user": "todo", "password": PASSWORD})
    assert "STARTTLS or TLS" in answer["invalid"]


class Script:
    """A server that says one thing and then nothing."""

    def __init__(self, greeting):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.options = {"port": self._listening.getsockname()[1], "security": "plain", "timeout_ms": 500}
        self._thread = threading.Thread(target=self._run, args=(greeting,))
        self._thread.start()

    def _run(self, greeting):
        connection, _ = self._listening.accept()
        connection.sendall(greeting)
        while connection.recv(4096):
            pass
        connection.close()

    def close(self):
        self._thread.join(60)
        self._listening.close()


@pytest.mark.parametrize(
    "greeting, status",
    [
        (b"421 4.7.0 too many connections\r\n", 421),
        (b"554 5.7.1 we do not like you\r\n", 554),  # us, not the mail
        (b"", 0),
        (b"220 mail.test\r\n", 0),  # and then silence
        (b"SSH-2.0-x\r\n", 0),
    ],
)
def test_a_server_that_does_not_take_us_is_tried_again(senders, greeting, status):
    server = Script(greeting)
    answer = senders.mail(smtp=server.options, subject="x")
    server.close()
    assert (answer["kind"], answer["status"]) == ("retry", status), answer


def test_a_server_that_is_away_is_tried_again(senders):
    answer = senders.mail(smtp={"port": free_port(), "security": "plain"}, subject="x")
    assert (answer["kind"], answer["status"]) == ("retry", 0)


def test_replies_without_end_end_with_the_timeout(senders):
    server = Script(b"220-" + b"x" * 1000 + b"\r\n")
    answer = senders.mail(smtp=server.options, subject="x")
    server.close()
    assert (answer["kind"], answer["status"]) == ("retry", 0)
    assert len(answer["detail"].encode()) <= 500
