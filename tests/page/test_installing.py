"""The page can be installed as an application."""

from __future__ import annotations

import json
from collections.abc import Callable

from product import Product


def test_chromium_finds_nothing_that_keeps_it_from_installing(opened: Callable[..., Product]) -> None:
    product = opened("/today")
    product.ready_for_offline()
    devtools = product.page.context.new_cdp_session(product.page)
    manifest = devtools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    told = json.loads(manifest["data"])
    assert told["name"] and told["start_url"] and told["display"] == "standalone"
    images = [icon for icon in told["icons"] if icon["type"] == "image/png"]
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in images if icon["purpose"] == "any"}
    for icon in images:
        size = product.page.evaluate("""async (address) => {
            const image = new Image();
            image.src = address;
            await image.decode();
            return `${image.naturalWidth}x${image.naturalHeight}`;
        }""", icon["src"])
        assert size == icon["sizes"], icon["src"]
    # Chromium never offers it in a private window, and each play has one.
    errors = [error["errorId"] for error in devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]]
    assert set(errors) <= {"in-incognito"}
