"""URLs by which a user could want to make us talk to our own network: some hundred forms of it."""

import ipaddress

# Addresses that must not be reached, and why somebody would try.
FORBIDDEN_V4 = [
    "127.0.0.1",  # ourselves
    "127.255.255.254",
    "0.0.0.0",  # ourselves too, on Linux
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",  # the metadata of most clouds
    "169.254.170.2",  # credentials of containers
    "168.63.129.16",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
]
FORBIDDEN_V6 = [
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "0000:0000:0000:0000:0000:0000:0000:0001",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "ff02::1",
    "ff05::2",
    "100::1",
    "2001:db8::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "3fff::1",
    "5f00::1",
    "4000::1",
]
NAMES = [  # with what looking them up gives
    ("db.internal", ["10.0.0.7"]),
    ("metadata.google.internal", ["169.254.169.254"]),
    ("127.0.0.1.nip.test", ["127.0.0.1"]),
    ("mapped.test", ["::ffff:127.0.0.1"]),
    ("six.test", ["::1"]),
    ("unique-local.test", ["fd00::7"]),
    ("link-local.test", ["fe80::7"]),
    ("both.test", ["127.0.0.1", "::1"]),
    ("many.test", ["10.0.0.1", "192.168.0.1", "fd00::1", "169.254.169.254"]),
    ("nat64.test", ["64:ff9b::7f00:1"]),
    ("six-to-four.test", ["2002:7f00:1::1"]),
    ("teredo.test", ["2001:0:7f00:1::1"]),
    ("zero.test", ["0.0.0.0"]),
    ("multicast.test", ["224.0.0.1"]),
    ("localhost", ["127.0.0.1"]),
    ("LOCALHOST", ["127.0.0.1"]),
    ("localhost.", ["127.0.0.1"]),
    ("sub.localhost", ["::1"]),
    ("a.b.localhost.", ["127.0.0.1"]),
    # what looks like no name, where a name server has one for it
    ("127.0.0.1.", ["127.0.0.1"]),
    ("10.0.0.1.", ["10.0.0.1"]),
    ("169.254.169.254.", ["169.254.169.254"]),
    ("..", ["127.0.0.1"]),
    ("-", ["127.0.0.1"]),
    ("_", ["127.0.0.1"]),
    ("127.0.0.1.example", ["127.0.0.1"]),
    ("example.com", ["10.0.0.1"]),
]


def notations_v4(text):
    """The ways in which C libraries, browsers and curl write one IPv4 address."""
    number = int(ipaddress.IPv4Address(text))
    a, b, c, d = text.split(".")
    parts = [int(part) for part in (a, b, c, d)]
    yield text
    yield str(number)
    yield hex(number)
    yield hex(number).upper().replace("0X", "0x")
    yield f"0{number:o}"
    yield ".".join(hex(part) for part in parts)
    yield ".".join(f"0{part:o}" for part in parts)
    yield ".".join(f"{part:04o}" for part in parts)
    yield f"{hex(parts[0])}.{parts[1]}.0{parts[2]:o}.{parts[3]}"
    yield f"{a}.{number & 0xFFFFFF}"
    yield f"{a}.{b}.{number & 0xFFFF}"
    yield f"0{parts[0]:o}.{hex(number & 0xFFFFFF)}"
    yield text + "."
    yield "".join(f"%{ord(character):02x}" for character in text)
    yield f"{a}%2e{b}%2E{c}.{d}"
    yield text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})  # full width
    yield text.replace("1", "①").replace("2", "②")
    yield text.replace(".", "。")


def embeddings(text):
    """IPv6 addresses that lead to an IPv4 address, or did once."""
    number = int(ipaddress.IPv4Address(text))
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    yield f"[::ffff:{text}]"
    yield f"[::ffff:{high}:{low}]"
    yield f"[0:0:0:0:0:ffff:{high}:{low}]"
    yield f"[::{text}]"
    yield f"[::ffff:0:{text}]"
    yield f"[64:ff9b::{high}:{low}]"
    yield f"[64:ff9b:1::{high}:{low}]"
    yield f"[2002:{high}:{low}::1]"
    yield f"[2001:0:{high}:{low}::1]"
    yield f"[2001:0:4136:e378:8000:63bf:{number >> 16 ^ 0xFFFF:x}:{number & 0xFFFF ^ 0xFFFF:x}]"


def hostile_urls(port):
    """URLs that lead to `port` of the forbidden hosts, if anybody let them."""
    for text in FORBIDDEN_V4:
        for scheme in ("https", "http"):
            yield f"{scheme}://{text}:{port}/"
    for text in ("127.0.0.1", "10.0.0.1", "169.254.169.254"):
        for host in [*notations_v4(text), *embeddings(text)]:
            for scheme in ("https", "http"):
                yield f"{scheme}://{host}:{port}/"
    for text in FORBIDDEN_V6:
        yield f"https://[{text}]:{port}/"
    for zone in ("lo", "eth0", "1", "%25"):
        yield f"https://[fe80::1%25{zone}]:{port}/"
        yield f"https://[::1%{zone}]:{port}/"
    for host, _ in NAMES:
        yield f"https://{host}:{port}/"
        yield f"http://{host}:{port}/"

    here = f"127.0.0.1:{port}"
    yield from (  # user names, and what some parser takes for them
        f"https://example.com@{here}/",
        f"https://example.com:443@{here}/",
        f"https://{here}@example.com/",
        f"https://a:b@{here}/",
        f"https://:@{here}/",
        f"https://@{here}/",
        f"https://example.com%40{here}/",
        f"https://example.com\\@{here}/",
        f"https://{here}\\@example.com/",
        f"https://{here}#@example.com/",
        f"https://{here}?@example.com/",
        f"https://{here}/@example.com",
        f"https://{here}\\.example.com/",
        f"https://example.com#@{here}/",
        f"https://a@b@{here}/",
        f"https://{here}%2f@example.com/",
        f"https://{here}%00.example.com/",
        f"https://{here}\u0000.example.com/",
        f"https://{here},example.com/",
        f"https://{here} example.com/",
        f"https://[{here}]/",
        f"https://[::1]]:{port}/",
        f"https://[::1].example.com:{port}/",
        f"https://[::1:{port}/",
        f"https://127.0.0.1:{port}:443/",
        f"https://127.0.0.1:+{port}/",
    )
    yield from (  # other ways to say it, other protocols
        f"https:{here}/",
        f"https:/{here}/",
        f"https:///{here}/",
        f"https:////{here}/",
        f"https:\\\\{here}\\",
        f"//{here}/",
        f"{here}/",
        here,
        f" https://{here}/",
        f"\thttps://{here}/",
        f"ht\ntps://{here}/",
        f"https://127.0.0.1\t:{port}/",
        f"https://127.0.\n0.1:{port}/",
        f"https://127.0.0.1\r\nhost: example.com\r\n:{port}/",
        f"hTTpS://{here}/",
        f"httpss://{here}/",
        f"https+unix://{here}/",
        f"view-source:https://{here}/",
        f"url:https://{here}/",
        f"jar:https://{here}!/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "file:///etc/passwd",
        f"file://{here}/etc/passwd",
        "about:blank",
        "https://",
        "https://.",
        "https://..",
        "https://%",
        "https://-",
        "",
    )
    for scheme in (
        *("ftp", "ftps", "gopher", "gophers", "dict", "ldap", "ldaps", "smb", "smbs", "telnet", "tftp"),
        *("imap", "imaps", "pop3", "pop3s", "smtp", "smtps", "scp", "sftp", "rtsp", "rtmp", "mqtt", "ws", "wss"),
    ):
        yield f"{scheme}://{here}/"
