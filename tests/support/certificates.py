"""Self-signed certificates for servers on loopback, made by openssl."""

import ssl
import subprocess
from pathlib import Path


def server_context(certificate: Path, *names: str) -> ssl.SSLContext:
    """Creates a self-signed certificate for names such as `DNS:cstar.test` or `IP:127.0.0.1`, and a server's context."""
    key = certificate.with_suffix(".key")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-batch",
    ]
    subject = ["-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={','.join(names)}"]
    subprocess.run([*command, "-keyout", key, "-out", certificate, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
