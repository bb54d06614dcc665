"""Sign-in with a real OpenID provider: authorization code with PKCE, renewal of the token, sign-out."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import REFUSED_CALL, UNAVAILABLE, Browser, Person
from playwright.sync_api import Page, expect
from product import Product
from service_binary import binary
from todo_client import REPOSITORY, eventually

from tools.stack import Stack

LIFETIME = 20  # seconds of an access token


class Provider:
    """openid_provider.mjs in a process of its own."""

    def __init__(self) -> None:
        packages = subprocess.run([REPOSITORY / "tools/setup", "--where", "node"], check=True, capture_output=True, text=True)
        script = Path(__file__).with_name("openid_provider.mjs")
        self._process = subprocess.Popen(["node", script, packages.stdout.strip(), str(LIFETIME)], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.issuer: str = self.ask("issuer")["issuer"]

    def ask(self, what: str, **more: str) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


@pytest.fixture(scope="module")
def stack(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    flags = [f"--auth-issuer={provider.issuer}", "--auth-clock-skew=0s", "--oidc-client-id=todo-page",
             "--oidc-parameters=resource=urn:todo-service",  # without it this provider's tokens are not for the service
             *(f"--{port}-address=127.0.0.1" for port in ("api", "web", "ops")), "--ticket-key-entry=ticket-key"]
    secrets = {"ticket-key": "a key for tickets of these tests, of no use elsewhere"}
    with Stack(tmp_path_factory.mktemp("oidc") / "run", broker="memory", service_binary=binary(), service_flags=flags,
               secrets=secrets, keep_data=False) as running:
        provider.ask("serve", origin=running.web_url())
        yield running


@pytest.fixture
def person(browser: Browser, stack: Stack, provider: Provider) -> Person:
    made = browser.person(stack.web_url())
    # The provider's own pages want fonts and an icon.
    made.allow(re.compile(re.escape(provider.issuer)), re.compile("fonts.googleapis.com"))
    # Until the service has fetched the provider's keys.
    made.allow(UNAVAILABLE)
    return made


def sign_in(page: Page, user: str) -> Product:
    product = Product(page)
    page.get_by_role("button", name="Sign in").first.click()
    page.get_by_label("User").fill(user)
    page.get_by_role("button", name="Let me in").click()
    expect(product.new_task).to_be_visible()
    return product


def test_signing_in_renewing_and_signing_out(person: Person, provider: Provider, user: str) -> None:
    page = person.tab("/all")
    product = sign_in(page, user)
    assert page.url == f"{person.origin}/all", "back where the user wanted to go, and no code in the address"
    product.add("kept")
    expect(product.row("kept")).to_be_visible()
    before = provider.ask("counts")["refresh_token"]
    # The token is renewed before it expires, so no call is refused, and the feed goes on. When it has been renewed twice,
    # the first one has expired.
    eventually(lambda: provider.ask("counts")["refresh_token"] >= before + 2, "the token is renewed", within=60, every=0.5)
    product.add("with another token")
    link = product.row("with another token").get_by_role("link").first
    expect(link).to_have_attribute("href", re.compile(r"/task/\d+$"))  # the id is that of the service
    assert "token" not in json.dumps(stored(page)).lower().replace("ticket", ""), "tokens live in memory only"
    # A reload asks the provider, which knows the user still.
    page.reload()
    expect(product.new_task).to_be_visible()
    expect(product.row("kept")).to_be_visible()
    product.sign_out()
    leave = page.get_by_role("button", name="Yes, sign me out")
    expect(leave.or_(page.get_by_role("button", name="Sign in")).first).to_be_visible()
    if leave.is_visible():
        leave.click()
    expect(page.get_by_role("button", name="Sign in").first).to_be_visible()
    assert page.url.startswith(person.origin)
    product = sign_in(page, f"other-{user}")
    product.visit("/all")
    expect(product.rows).to_have_count(0)


def test_an_operator_has_the_operators_view(person: Person, user: str) -> None:
    product = sign_in(person.tab("/"), f"olga-{user}")
    product.visit("/operator")
    expect(product.page.get_by_role("heading", name="Operator")).to_be_visible()
    expect(product.page.get_by_role("heading", name="Shards")).to_be_visible()


def test_a_user_who_is_no_operator_is_told_so(person: Person, user: str) -> None:
    person.allow(REFUSED_CALL)
    product = sign_in(person.tab("/"), user)
    product.visit("/operator")
    expect(product.page.get_by_role("heading", name="Shards")).to_have_count(0)


def stored(page: Page) -> Any:
    """What the page keeps where other programs of the machine could read it."""
    return page.evaluate("""async () => {
        const all = { local: { ...localStorage }, cookies: document.cookie, databases: {} };
        for (const { name } of await indexedDB.databases()) {
            const database = await new Promise((done) => {
                const request = indexedDB.open(name); request.onsuccess = () => done(request.result); });
            for (const store of database.objectStoreNames)
                all.databases[`${name}/${store}`] = await new Promise((done) => {
                    const request = database.transaction(store).objectStore(store).getAll();
                    request.onsuccess = () => done(request.result); });
            database.close();
        }
        return all;
    }""")
