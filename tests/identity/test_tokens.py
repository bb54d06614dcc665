"""Tokens that joserfc makes, and what our authenticator decides about them."""

import base64
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

# joserfc warns of what these tests make on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")

NOW = 1_800_000_000
RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
SECRETS = {"HS256": 256, "HS384": 384, "HS512": 512}
RSA_2048 = RSAKey.generate_key(2048)


def key_for(algorithm, kid="k1"):
    """A fresh private key; RSA keys are dear, so they are one key under other names."""
    parameters = {"kid": kid, "alg": algorithm, "use": "sig"}
    if algorithm in RSA:
        return RSAKey.import_key(RSA_2048.as_dict(private=True), parameters)
    if algorithm in CURVES:
        return ECKey.generate_key(CURVES[algorithm], parameters)
    if algorithm in SECRETS:
        return OctKey.generate_key(SECRETS[algorithm], parameters)
    return OKPKey.generate_key("Ed25519", parameters)


def public(key):
    return key.as_dict(private=False)


def token_of(claims, key, algorithm, **header):
    return jwt.encode({"alg": algorithm, "kid": "k1", **header}, claims, key, algorithms=[algorithm])


def encoded(part):
    content = part if isinstance(part, bytes) else part.encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(header, payload, key, algorithm="ES256"):
    """A token of these very bytes, with joserfc's signature."""
    text = f"{encoded(header)}.{encoded(payload)}"
    return f"{text}.{encoded(JWSRegistry.algorithms[algorithm].sign(text.encode(), key))}"


def assert_refused(answer, reason, words=""):
    assert answer.get("code") == "UNAUTHENTICATED", answer
    assert answer["reason"] == reason, answer
    assert words in answer["message"]
    assert answer["again"]


@pytest.mark.parametrize("algorithm", [*RSA, *CURVES, "EdDSA", "Ed25519"])
def test_each_algorithm_with_a_public_key(authenticator, claims, algorithm):
    key = key_for(algorithm)
    token = token_of(claims, key, algorithm)
    assert authenticator.ask_about(token, [public(key)]) == {"user": "ada", "operator": False, "again": True}
    other = key_for(algorithm) if algorithm not in RSA else RSAKey.generate_key(2048, {"kid": "k1", "alg": algorithm})
    assert_refused(authenticator.ask_about(token, [public(other)]), "TOKEN_SIGNATURE")


@pytest.mark.parametrize("algorithm", SECRETS)
def test_each_algorithm_with_a_secret(authenticator, claims, algorithm):
    key = key_for(algorithm)
    jwk = key.as_dict(private=True)
    token = token_of(claims, key, algorithm)
    assert authenticator.ask_about(token, [jwk], secrets=True)["user"] == "ada"
    assert_refused(authenticator.ask_about(token, [key_for(algorithm).as_dict(private=True)], secrets=True), "TOKEN_SIGNATURE")
    assert "secret store" in authenticator.ask_about(token, [jwk])["keys_refused"]


def test_an_operator(authenticator, claims):
    key = key_for("ES256")
    for roles in ("todo-operator", ["user", "todo-operator"]):
        token = token_of({**claims, "roles": roles}, key, "ES256")
        assert authenticator.ask_about(token, [public(key)])["operator"] is True
    # Only a scope is a list of words: users may choose those of their names.
    words = token_of({**claims, "scope": "user todo-operator", "name": "user todo-operator"}, key, "ES256")
    assert authenticator.ask_about(words, [public(key)], operator_claim="scope")["operator"] is True
    assert authenticator.ask_about(words, [public(key)], operator_claim="name")["operator"] is False
    token = token_of({**claims, "realm_access": {"roles": ["todo-operator"]}}, key, "ES256")
    assert authenticator.ask_about(token, [public(key)], operator_claim="realm_access.roles")["operator"] is True
    assert authenticator.ask_about(token, [public(key)])["operator"] is False


@pytest.mark.parametrize(
    "change, reason, words",
    [
        ({"exp": NOW - 180}, "TOKEN_EXPIRED", "the token expired 3 minutes ago"),
        ({"exp": None}, "TOKEN_MALFORMED", "has no exp"),
        ({"exp": str(NOW + 600)}, "TOKEN_MALFORMED", "exp is no time"),
        ({"nbf": NOW + 600}, "TOKEN_NOT_YET_VALID", "its nbf is 10 minutes from now"),
        ({"iat": NOW + 600}, "TOKEN_NOT_YET_VALID", "its iat is 10 minutes from now"),
        ({"aud": "account"}, "TOKEN_AUDIENCE", 'the token\'s audience is "account", expected "todo-service"'),
        ({"aud": ["a", "b"]}, "TOKEN_AUDIENCE", 'the token\'s audience is "a", "b", expected "todo-service"'),
        ({"aud": None}, "TOKEN_AUDIENCE", 'the token has no audience (aud), expected "todo-service"'),
        ({"sub": None}, "TOKEN_USER", "its claim sub is missing"),
        ({"sub": "x" * 201}, "TOKEN_USER", "more than 200 bytes"),
        ({"iss": "https://evil.example"}, "TOKEN_ISSUER", "issuer (iss)"),
        ({"iss": None}, "TOKEN_ISSUER", "issuer (iss)"),
    ],
)
def test_claims_that_do_not_fit(authenticator, claims, change, reason, words):
    key = key_for("ES256")
    changed = {name: value for name, value in {**claims, **change}.items() if value is not None}
    # joserfc checks the type of exp itself.
    token = signed('{"alg":"ES256","kid":"k1","typ":"JWT"}', json.dumps(changed), key)
    assert_refused(authenticator.ask_about(token, [public(key)]), reason, words)


def test_an_unsigned_token(authenticator, claims):
    key = key_for("ES256")
    for algorithm in ("none", "None", "NONE", ""):
        header, payload = encoded(json.dumps({"alg": algorithm, "kid": "k1"})), encoded(json.dumps(claims))
        assert_refused(authenticator.ask_about(f"{header}.{payload}.", [public(key)]), "TOKEN_MALFORMED")
        signature = token_of(claims, key, "ES256").rsplit(".", 1)[1]
        assert_refused(authenticator.ask_about(f"{header}.{payload}.{signature}", [public(key)]), "TOKEN_ALGORITHM")


def test_a_public_key_used_as_a_secret(authenticator, claims):
    pem = RSA_2048.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = RSA_2048.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.rstrip(), der):
        # joserfc makes no such secret.
        header = encoded(json.dumps({"alg": "HS256", "kid": "k1"}))
        text = f"{header}.{encoded(json.dumps(claims))}"
        token = f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"
        assert_refused(authenticator.ask_about(token, [public(key_for("RS256"))]), "TOKEN_ALGORITHM")


@pytest.mark.parametrize("of_key, of_token", [("RS256", "PS256"), ("PS256", "RS256"), ("RS256", "RS512"), ("PS512", "PS256")])
def test_another_algorithm_than_that_of_the_key(authenticator, claims, of_key, of_token):
    token = token_of(claims, key_for(of_token), of_token)
    assert_refused(authenticator.ask_about(token, [public(key_for(of_key))]), "TOKEN_ALGORITHM", f"its key is for {of_key}")


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
        {"jwk": {"kty": "EC"}},
        {"kid": 7},
        {"kid": None},
        {"typ": ["JWT"]},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
    ],
)
def test_a_header_that_asks_for_more(authenticator, claims, header):
    key = key_for("ES256")
    token = signed(json.dumps({"alg": "ES256", "kid": "k1", **header}), json.dumps(claims), key)
    assert_refused(authenticator.ask_about(token, [public(key)]), "TOKEN_MALFORMED")


def test_a_token_that_brings_the_key_it_was_signed_with(authenticator, claims):
    evil = key_for("ES256")
    token = signed(json.dumps({"alg": "ES256", "kid": "k1", "jwk": public(evil)}), json.dumps(claims), evil)
    assert_refused(authenticator.ask_about(token, [public(key_for("ES256"))]), "TOKEN_MALFORMED", "jwk")


def test_a_token_inside_a_token(authenticator, claims):
    key = key_for("ES256")
    inner = token_of(claims, key, "ES256")
    assert_refused(authenticator.ask_about(signed('{"alg":"ES256","kid":"k1"}', inner, key), [public(key)]), "TOKEN_MALFORMED")
    secret = OctKey.generate_key(256)
    encrypted = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, inner, secret)
    assert_refused(authenticator.ask_about(encrypted, [public(key)]), "TOKEN_MALFORMED")


@pytest.mark.parametrize(
    "payload",
    [
        '{"sub":"eve",%s',  # a name twice, in both orders
        "%s,\"sub\":\"eve\"}",
        "\ufeff{%s",
        "[{%s]",
        "{%s{}",
        " {%s",
        "{%s\n",
    ],
)
def test_claims_that_two_readers_could_read_in_two_ways(authenticator, claims, payload):
    key = key_for("ES256")
    text = json.dumps(claims)
    inner = text[:-1] if payload.startswith("%s") else text[1:]
    token = signed('{"alg":"ES256","kid":"k1"}', payload % inner, key)
    assert_refused(authenticator.ask_about(token, [public(key)]), "TOKEN_MALFORMED")


def test_a_header_with_a_name_twice(authenticator, claims):
    key = key_for("ES256")
    for header in ('{"alg":"none","alg":"ES256","kid":"k1"}', '{"alg":"ES256","kid":"k1","kid":"k1"}'):
        assert_refused(authenticator.ask_about(signed(header, json.dumps(claims), key), [public(key)]), "TOKEN_MALFORMED")


def test_base64url_in_another_form(authenticator, claims):
    key = key_for("EdDSA")
    token = token_of(claims, key, "EdDSA")
    header, payload, signature = token.split(".")
    # The last character of 64 bytes holds four bits that do not count.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    assert base64.urlsafe_b64decode(twin + "==") == base64.urlsafe_b64decode(signature + "==")
    for other in (f"{header}.{payload}.{twin}", token + "=", token + "==", token[:9] + "\n" + token[9:], token + "."):
        assert_refused(authenticator.ask_about(other, [public(key)]), "TOKEN_MALFORMED")
    # joserfc may sign what no canonical writer writes.
    text = f"{header}=.{payload}"
    padded = f"{text}.{encoded(JWSRegistry.algorithms['EdDSA'].sign(text.encode(), key))}"
    assert_refused(authenticator.ask_about(padded, [public(key)]), "TOKEN_MALFORMED")


@pytest.mark.parametrize(
    "change, words",
    [
        ({"use": "enc"}, "use"),
        ({"use": "SIG"}, "use"),
        ({"key_ops": ["sign"]}, "key_ops"),
        ({"key_ops": []}, "key_ops"),
        ({"key_ops": "verify"}, "key_ops"),
        ({"alg": "ES384"}, "is for ES256"),
        ({"alg": 256}, "alg"),
        ({"crv": "P-192"}, "not supported"),
        ({"crv": "secp256k1"}, "not supported"),
        ({"x": "AAAA"}, "32 bytes"),
        ({"y": "A" * 43}, "make no key"),
    ],
)
def test_a_key_that_is_not_for_this(authenticator, claims, change, words):
    key = key_for("ES256")
    token = token_of(claims, key, "ES256")
    assert authenticator.ask_about(token, [{**public(key), "key_ops": ["verify"]}])["user"] == "ada"
    assert words in authenticator.ask_about(token, [{**public(key), **change}])["keys_refused"]


def test_weak_rsa_keys(authenticator, claims):
    for bits in (1024, 2040):
        private = rsa.generate_private_key(65537, bits)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key = RSAKey.import_key(pem, {"kid": "k1", "alg": "RS256"})
        answer = authenticator.ask_about(signed('{"alg":"RS256","kid":"k1"}', json.dumps(claims), key, "RS256"), [public(key)])
        assert f"it has {bits} bits" in answer["keys_refused"]
    weak = {**public(key_for("RS256")), "e": "AQ"}
    assert "exponent" in authenticator.ask_about("x", [weak])["keys_refused"]


def test_the_key_is_found_by_its_name(authenticator, claims):
    keys = {kid: key_for("ES256", kid) for kid in ("k1", "k2")}
    listed = [public(key) for key in keys.values()]
    for kid, key in keys.items():
        assert authenticator.ask_about(token_of(claims, key, "ES256", kid=kid), listed)["user"] == "ada"
    assert_refused(authenticator.ask_about(token_of(claims, keys["k1"], "ES256", kid="k2"), listed), "TOKEN_SIGNATURE")
    assert_refused(authenticator.ask_about(token_of(claims, keys["k1"], "ES256", kid="k3"), listed), "TOKEN_KEY", '"k3"')
    nameless = signed('{"alg":"ES256"}', json.dumps(claims), keys["k1"])
    assert_refused(authenticator.ask_about(nameless, listed), "TOKEN_KEY", "several")
    assert authenticator.ask_about(nameless, listed[:1])["user"] == "ada"


def test_a_long_token(authenticator, claims):
    key = key_for("ES256")
    room = 8 * 1024 - len(token_of({**claims, "pad": ""}, key, "ES256"))
    fits = token_of({**claims, "pad": "x" * (room * 3 // 4 - 3)}, key, "ES256")
    assert len(fits) <= 8 * 1024
    assert authenticator.ask_about(fits, [public(key)])["user"] == "ada"
    longer = token_of({**claims, "pad": "x" * room}, key, "ES256")
    assert_refused(authenticator.ask_about(longer, [public(key)]), "TOKEN_MALFORMED", "more than 8192 bytes")


def test_no_message_repeats_the_token_or_breaks_its_line(authenticator, claims):
    key = key_for("ES256")
    evil = "\n\r\x00\u202e" + "eve" * 50
    for change in ({"aud": evil}, {"sub": evil * 5}, {"exp": evil}, {"iss": evil}):
        token = signed(json.dumps({"alg": "ES256", "kid": "k1"}), json.dumps({**claims, **change}), key)
        message = authenticator.ask_about(token, [public(key)])["message"]
        assert "\n" not in message and "\r" not in message and len(message) < 400
        assert not any(token[i : i + 16] in message for i in range(len(token) - 16))
    for kid in (evil, "k" * 3000):
        token = signed(json.dumps({"alg": "ES256", "kid": kid}), json.dumps(claims), key)
        answer = authenticator.ask_about(token, [public(key), public(key_for("ES256", "k2"))])
        assert_refused(answer, "TOKEN_KEY")
        assert "\n" not in answer["message"] and len(answer["message"]) < 200
