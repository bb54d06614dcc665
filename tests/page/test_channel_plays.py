"""Channels of reminders: webhooks that call a server outside, and Web Push to this browser."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
from browser import Person
from conftest import Place
from playwright.sync_api import Page, expect
from product import Product
from receivers import Browser, Receiver
from todo_client import Client, Reminders, eventually


@pytest.fixture
def receiver(place: Place) -> Iterator[Receiver]:
    if place.stack is None:
        pytest.skip("the service of somebody else may not call this machine")
    running = Receiver()
    yield running
    running.close()


def test_a_webhook_is_added_tested_sent_again_and_deleted(opened: Callable[..., Product], client: Client, user: str,
                                                          receiver: Receiver) -> None:
    product = opened("/preferences")
    page = product.page
    page.get_by_role("button", name="Add a webhook").click()
    page.get_by_label("Address").fill("ftp://example.org/")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("The address must begin with https://.")).to_be_visible()
    page.get_by_label("Address").fill(f"{receiver.url}/{user}")
    page.get_by_role("switch", name=re.compile("Changes of tasks")).click()
    page.get_by_role("button", name="Add", exact=True).click()
    secret = product.dialog("The signing secret")
    expect(secret.get_by_label("Signing secret")).to_have_text(re.compile("^whsec_"))
    secret.get_by_role("button", name="I have kept it").click()

    page.get_by_role("button", name="Test call").click()
    expect(page.get_by_text(re.compile("The endpoint took the call.*200"))).to_be_visible()
    assert len(receiver.to(f"/{user}")) == 1

    client.create("Tell the other program")
    eventually(lambda: len(receiver.to(f"/{user}")) == 2, "the call about the new task")
    page.get_by_role("button", name="Deliveries").click()
    log = page.get_by_role("table", name=re.compile("^Deliveries to"))
    made = log.get_by_role("row").filter(has_text="created")
    expect(made).to_contain_text("delivered")
    made.get_by_role("button", name=re.compile("^Send again")).click()
    eventually(lambda: len(receiver.to(f"/{user}")) == 3, "the same call again")
    _, first, again = receiver.to(f"/{user}")
    assert json.loads(first.body) == json.loads(again.body)
    assert first.headers["webhook-id"] == again.headers["webhook-id"]

    page.get_by_role("button", name="Delete", exact=True).click()
    product.dialog("Delete this webhook?").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Test call")).to_have_count(0)
    product.visit("/preferences")
    expect(page.get_by_role("button", name="Test call")).to_have_count(0)


def pushes_to(page: Page, subscription: Browser) -> None:
    """Chromium has no push service here, so the test is one. All else is real: the permission, the service's encrypted call
    and the service worker that shows it."""
    page.context.grant_permissions(["notifications"])
    page.evaluate("""({endpoint, p256dh, auth}) => {
        const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)).buffer;
        const made = { endpoint, getKey: (name) => bytes(name === "auth" ? auth : p256dh), unsubscribe: async () => true };
        let present = null;
        PushManager.prototype.subscribe = async () => (present = made);
        PushManager.prototype.getSubscription = async () => present;
    }""", {"endpoint": subscription.endpoint, "p256dh": subscription.p256dh, "auth": subscription.auth})


def switch_on(product: Product) -> None:
    channel = product.page.get_by_role("switch", name=re.compile("^Push"))
    if not channel.is_checked():
        channel.click()
    product.page.get_by_role("button", name="Switch on in this browser").click()


def shown(page: Page) -> list[dict[str, str]]:
    titles: list[dict[str, str]] = page.evaluate("""async () => (await (await navigator.serviceWorker.ready).getNotifications())
        .map(({title, body, data}) => ({title, body, path: data.path}))""")
    return titles


def deliver(page: Page, origin: str, message: str) -> None:
    """Hands the service worker a message, as a push service does."""
    devtools = page.context.new_cdp_session(page)
    registrations: list[str] = []
    devtools.on("ServiceWorker.workerRegistrationUpdated",
                lambda event: registrations.extend(each["registrationId"] for each in event["registrations"]))
    devtools.send("ServiceWorker.enable")
    eventually(lambda: page.evaluate("1") and registrations, "the service worker's registration")
    devtools.send("ServiceWorker.deliverPushMessage", {"origin": origin, "registrationId": registrations[0], "data": message})


def test_a_reminder_is_pushed_to_this_browser(opened: Callable[..., Product], client: Client, user: str, place: Place,
                                              receiver: Receiver) -> None:
    subscription = Browser(f"{receiver.url}/push-{user}")
    product = opened("/preferences")
    product.ready_for_offline()
    pushes_to(product.page, subscription)
    switch_on(product)
    expect(product.page.get_by_text("This browser gets pushes.")).to_be_visible()

    task = client.create("Water the roses")
    Reminders(client).create(task.id, at=time.time() + 2)
    eventually(lambda: receiver.to(f"/push-{user}"), "the push", within=90)
    message = subscription.read(receiver.to(f"/push-{user}")[0])
    deliver(product.page, place.origin, json.dumps(message))
    eventually(lambda: len(shown(product.page)) == 1, "the notification")
    [notification] = shown(product.page)
    assert "Water the roses" in notification["title"] + notification["body"]
    assert notification["path"] == f"/task/{task.id}"


def test_a_browser_without_a_push_service_is_told_what_to_do(opened: Callable[..., Product], person: Person) -> None:
    person.allow(re.compile("Push API in incognito mode"))
    product = opened("/preferences")
    product.page.context.grant_permissions(["notifications"])
    product.ready_for_offline()
    switch_on(product)
    expect(product.page.get_by_text(re.compile("could not reach its push service|was not allowed"))).to_be_visible(timeout=60_000)
