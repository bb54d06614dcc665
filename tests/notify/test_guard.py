"""Whom the senders never talk to, whatever the URL and whatever the name servers say.

The probe refuses to leave loopback and notes every attempt to connect, so `connects` shows what would have gone out;
the canary shows that nothing came in.
"""

import pytest

import hostile_targets

BRIEF = {"timeout_ms": 300}  # so that a hole is reported soon: the canary does not answer
PUBLIC = "192.88.1.1"  # an address that the guard lets pass; the probe does not


def test_the_probe_would_show_a_connection(senders, canary):
    """The tests of this file could fail: what is allowed is tried, and arrives."""
    assert senders.webhook(f"https://{PUBLIC}/")["connects"] == [f"{PUBLIC}:443"]
    url = f"http://127.0.0.1:{canary.port}/"
    answer = senders.webhook(url, http={"allowed_hosts": ["127.0.0.1"], "timeout_ms": 200})
    assert (answer["kind"], answer["connects"]) == ("retry", [f"127.0.0.1:{canary.port}"])
    assert canary.visitors() == 1


def test_no_form_of_a_hostile_target_is_connected_to(senders, canary):
    for name, addresses in hostile_targets.NAMES:
        senders.resolve(name, addresses)
    urls = list(dict.fromkeys(hostile_targets.hostile_urls(canary.port)))
    assert len(urls) >= 300
    answers = {url: senders.webhook(url, http=BRIEF) for url in urls}
    assert {url: answer for url, answer in answers.items() if answer["connects"]} == {}
    assert {url: answer for url, answer in answers.items() if answer["kind"] != "forbidden"} == {}
    assert canary.visitors() == 0


def test_the_same_for_pushes(senders, canary):
    key = {
        "vapid_key": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    }
    senders.resolve("push.test", ["10.0.0.7", "::1"])
    for host in ("127.0.0.1", "[::1]", "2130706433", "169.254.169.254", "push.test", "localhost"):
        answer = senders.push(f"https://{host}:{canary.port}/", http=BRIEF, **key)
        assert (answer["kind"], answer["connects"]) == ("forbidden", []), host
    assert senders.push(f"https://{PUBLIC}/", **key)["connects"] == [f"{PUBLIC}:443"]
    assert canary.visitors() == 0


@pytest.mark.parametrize("private", ["127.0.0.1", "::1", "10.0.0.7", "169.254.169.254", "::ffff:127.0.0.1"])
def test_a_name_that_changes_its_mind_gains_nothing(senders, canary, private):
    """DNS rebinding: whoever looks a name up to check it, and connects later, is told two things."""
    url = f"https://rebind.test:{canary.port}/"
    senders.resolve("rebind.test", [PUBLIC], [private], [PUBLIC], [private])
    seen = [senders.webhook(url, http=BRIEF) for _ in range(4)]
    assert [answer["kind"] for answer in seen] == ["retry", "forbidden", "retry", "forbidden"]
    assert [answer["connects"] for answer in seen] == [[f"{PUBLIC}:{canary.port}"], []] * 2
    assert canary.visitors() == 0


def test_one_attempt_is_one_look_up(senders, canary):
    """The second answer, which a check beforehand would have used up, is not asked for."""
    senders.resolve("rebind.test", [PUBLIC], ["127.0.0.1"])
    assert senders.webhook("https://rebind.test/")["connects"] == [f"{PUBLIC}:443"]


def test_private_addresses_among_public_ones_are_passed_over(senders, canary):
    senders.resolve("mixed.test", ["127.0.0.1", "10.0.0.7", PUBLIC, "::1", "fd00::1"])
    answer = senders.webhook(f"https://mixed.test:{canary.port}/", http={"timeout_ms": 5000})
    assert answer["connects"] == [f"{PUBLIC}:{canary.port}"]
    assert answer["kind"] == "retry"  # an address was tried in earnest
    assert canary.visitors() == 0


def test_a_listed_name_that_changes_its_mind_is_the_operators_concern_but_a_block_is_not(senders, receiver, canary):
    options = {"allowed_hosts": ["127.0.0.2/32"]}
    senders.resolve("rebind.test", ["127.0.0.2"], ["127.0.0.1"])
    url = f"http://rebind.test:{receiver.server_port}/"
    assert senders.webhook(url, http=options)["kind"] == "delivered"
    answer = senders.webhook(url, http=options)
    assert (answer["kind"], answer["connects"]) == ("forbidden", [])


def test_http_is_for_listed_hosts(senders, receiver):
    senders.resolve("hooks.test", ["127.0.0.2"])
    for allowed in (["hooks.test"], ["127.0.0.2"], ["127.0.0.0/30"]):
        answer = senders.webhook(receiver.url("hooks.test"), http={"allowed_hosts": allowed})
        assert answer["kind"] == "delivered", allowed
    answer = senders.webhook(f"http://{PUBLIC}/")
    assert (answer["kind"], answer["connects"]) == ("forbidden", [])
    assert "https" in answer["detail"]


def test_refusals_do_not_tell_what_our_names_resolve_to(senders):
    senders.resolve("db.internal", ["10.11.12.13"])
    assert "10.11" not in senders.webhook("https://db.internal/")["detail"]


def test_a_list_that_cannot_be_read_is_an_error(senders):
    assert "'10.0.0.1/8'" in senders.webhook("https://x.test/", http={"allowed_hosts": ["10.0.0.1/8"]})["invalid"]
