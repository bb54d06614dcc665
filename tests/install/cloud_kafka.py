"""A Kafka broker with a second door like that of Redpanda Cloud, SASL_SSL with SCRAM-SHA-256, and a third one whose
certificate has expired."""

from __future__ import annotations

import datetime
import subprocess

import trustme
from confluent_kafka import admin

from tools.stack.kafka import Kafka
from tools.stack.place import Place

# As in values-redpanda-cloud.yaml. All doors say that they are there, because a client that came in asks for the address.
HOST = "seed-00000000.example.fmc.prd.cloud.redpanda.com"
PORT = 9092
USER, PASSWORD = "todo", "of-a-test"
DOORS = ("sasl_ssl", "expired")


class CloudKafka(Kafka):
    """Needs the ports kafka-sasl_ssl and kafka-expired."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._authority = trustme.CA()
        self.ca = self._authority.cert_pem.bytes().decode()

    def prepare(self) -> None:
        super().prepare()
        folder = self.place.directory / "kafka"
        trusted = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(trusted)
        now = datetime.datetime.now(datetime.UTC)
        text = self._settings_file.read_text("utf-8")
        for door in DOORS:
            store = folder / f"{door}.pem"
            until = now - datetime.timedelta(days=1) if door == "expired" else now + datetime.timedelta(days=1)
            made = self._authority.issue_cert(HOST, not_before=now - datetime.timedelta(days=2), not_after=until)
            store.write_bytes(_pkcs8(made.private_key_pem.bytes()) + b"".join(one.bytes() for one in made.cert_chain_pems))
            name, port = door.upper(), self.place.ports[f"kafka-{door}"]
            text = text.replace("\nlisteners=", f"\nlisteners={name}://127.0.0.1:{port},")
            text = text.replace("\nadvertised.listeners=", f"\nadvertised.listeners={name}://{HOST}:{PORT + (door == 'expired')},")
            text = text.replace("\nlistener.security.protocol.map=", f"\nlistener.security.protocol.map={name}:SASL_SSL,")
            settings = {
                "sasl.enabled.mechanisms": "SCRAM-SHA-256",
                "scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                "ssl.keystore.type": "PEM", "ssl.keystore.location": store,
                "ssl.truststore.type": "PEM", "ssl.truststore.location": trusted,
            }
            text += "".join(f"listener.name.{door}.{key}={value}\n" for key, value in settings.items())
        self._settings_file.write_text(text, encoding="utf-8")

    def add_user(self) -> None:
        client = admin.AdminClient({"bootstrap.servers": self.brokers})
        change = admin.UserScramCredentialUpsertion(
            USER, admin.ScramCredentialInfo(admin.ScramMechanism.SCRAM_SHA_256, 4096), PASSWORD.encode())
        for done in client.alter_user_scram_credentials([change]).values():
            done.result(timeout=60)


def _pkcs8(key: bytes) -> bytes:
    """The only form that Kafka reads."""
    return subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt"], input=key, capture_output=True, check=True).stdout
