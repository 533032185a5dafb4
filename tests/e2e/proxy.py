"""nginx with the site of docs/examples/nginx.conf, once for each application; only ports and paths are put in."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .processes import Program
from .requirements import program

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

# What a distribution sets up around its sites, without its log and temporary folders, which belong to root.
AROUND = """\
daemon off;
pid nginx.pid;
error_log stderr warn;
worker_processes 1;
events { worker_connections 1024; }
http {
    access_log off;
    types { text/html html; }
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include sites/*.conf;
}
"""


def proxy(
    folder: Path, applications: Mapping[int, int], page: str = "readers.html", settings: Mapping[str, str] | None = None
) -> Program:
    """Give an nginx that listens with TLS on each port of `applications` and passes on to that application's port.

    It serves one of the pages of docs/examples. `settings` stand in place of others of its file.
    """
    open_to_others(folder)
    (folder / "sites").mkdir()
    shutil.copy(EXAMPLES / page, folder / "chat.html")
    write_certificate(folder / "chat.pem", folder / "chat.key")
    (folder / "nginx.conf").write_text(AROUND)
    site = (EXAMPLES / "nginx.conf").read_text()
    for listens, application in applications.items():
        own = {
            "listen 8443 ": f"listen {listens} ",
            "127.0.0.1:8000;": f"127.0.0.1:{application};",
            "/etc/ssl/": f"{folder}/",
            "/srv/chat;": f"{folder};",
        }
        (folder / "sites" / f"{listens}.conf").write_text(placed(site, {**own, **(settings or {})}))
    port = next(iter(applications))
    command = [program("nginx"), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    return Program(command, port, folder / "nginx.log")


def open_to_others(folder: Path) -> None:
    """Let other users enter a folder: nginx's worker is one where root starts it."""
    for parent in (folder, *folder.parents):
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode & 0o777 | 0o055)


def placed(site: str, settings: Mapping[str, str]) -> str:
    for shown, here in settings.items():
        assert shown in site, f"docs/examples/nginx.conf no longer says {shown!r}"
        site = site.replace(shown, here)
    return site


def write_certificate(certificate: Path, key: Path) -> None:
    """Write a certificate of an hour, signed by itself."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(names, critical=False)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key.write_bytes(secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
