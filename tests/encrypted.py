"""The real servers behind TLS: certificates of a test's own, and servers that show them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.broker import Broker
from infra.store import StoreServer
from streams.log import Connection
from streams.store import StoreConnection
from tests.embedded import free_port

_LOOPBACK = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


@dataclass(frozen=True)
class Identity:
    """A key and the certificate of it, in files.

    Attributes:
        certificate: The certificate; that of an authority can be trusted.
        key: The private key.
        both: The two in one file.
    """

    certificate: Path
    key: Path
    both: Path


class Authority:
    """Signs certificates for 127.0.0.1.

    Args:
        folder: Where files are put.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, f"authority {folder.name}")]
        )
        self.certificate = folder / "authority.pem"
        signed = self._signed(self._name, self._key.public_key(), is_authority=True)
        self.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> Identity:
        """Return a new identity."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signed = self._signed(subject, key.public_key(), is_authority=False)
        certificate = signed.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        paths = [self._folder / f"{name}.{end}" for end in ("crt", "key", "pem")]
        for path, content in zip(paths, (certificate, private, private + certificate), strict=True):
            path.write_bytes(content)
        return Identity(*paths)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, is_authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(_LOOPBACK, critical=False)
            .sign(self._key, hashes.SHA256())
        )


@dataclass(frozen=True)
class EncryptedBroker(Broker):
    """The broker, with passwords over TLS; it asks clients for their certificates, too."""

    authority: Authority = field(kw_only=True)

    @property
    def connection(self) -> Connection:
        """How clients reach it; once it has been prepared."""
        client = self.authority.issue("client")
        return replace(
            super().connection,
            protocol="SASL_SSL",
            cafile=str(self.authority.certificate),
            certfile=str(client.certificate),
            keyfile=str(client.key),
        )

    def _write_properties(self, storage: Path) -> None:
        super()._write_properties(storage)
        server = self.authority.issue("broker")
        with self._properties.open("a") as file:
            file.write(
                "\nlistener.security.protocol.map=CLIENT:SASL_SSL,CONTROLLER:SASL_PLAINTEXT\n"
                "ssl.keystore.type=PEM\n"
                f"ssl.keystore.location={server.both}\n"
                "ssl.truststore.type=PEM\n"
                f"ssl.truststore.location={self.authority.certificate}\n"
                "listener.name.client.ssl.client.auth=required\n"
            )


@dataclass(frozen=True)
class EncryptedStore(StoreServer):
    """The store, which also speaks HTTPS."""

    authority: Authority = field(kw_only=True)
    https_port: int = field(kw_only=True, default_factory=free_port)

    @property
    def encrypted(self) -> StoreConnection:
        """How its owner reaches it over TLS."""
        cafile = str(self.authority.certificate)
        return replace(self.owner, port=self.https_port, secure=True, cafile=cafile)

    def prepare(self) -> None:
        """Write the configuration, with a certificate and a port for it."""
        super().prepare()
        server = self.authority.issue("store")
        said = (
            f"<https_port>{self.https_port}</https_port><openSSL><server>"
            f"<certificateFile>{server.certificate}</certificateFile>"
            f"<privateKeyFile>{server.key}</privateKeyFile>"
            "<verificationMode>none</verificationMode></server></openSSL></clickhouse>"
        )
        config = self._config.read_text()
        self._config.write_text(config.replace("</clickhouse>", said))
