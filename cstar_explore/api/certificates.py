"""Which certificates are trusted: those of SSL_CERT_FILE or SSL_CERT_DIR, or else those that httpx trusts."""

import os
import ssl
from pathlib import Path

import httpx

from ..errors import ConfigurationError
from ..text import printable


def tls_context(base_url: str) -> ssl.SSLContext:
    """The TLS settings for an address.

    Raises:
        ConfigurationError: A variable names a file or folder that cannot be used.
    """
    if base_url.startswith("http:"):
        # Plain http needs no certificates, and loading them takes 20 ms. This context trusts none.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file and not Path(file).is_file():
        raise _unusable("SSL_CERT_FILE", file, "there is no such file")
    if folder and not file and not Path(folder).is_dir():
        raise _unusable("SSL_CERT_DIR", folder, "there is no such folder")
    try:
        if file or folder:
            return ssl.create_default_context(cafile=file, capath=None if file else folder)
        return httpx.create_ssl_context(trust_env=False)
    except (OSError, ValueError) as error:
        log = os.environ.get("SSLKEYLOGFILE")
        if file and isinstance(error, ssl.SSLError):
            raise _unusable("SSL_CERT_FILE", file, "it has no certificates in PEM format") from None
        if log:
            raise _unusable("SSLKEYLOGFILE", log, "it cannot be written") from None
        raise ConfigurationError(
            f"The TLS certificates cannot be loaded: {printable(error, 200)}.",
            advice="Set SSL_CERT_FILE to a PEM file.",
        ) from None


def _unusable(variable: str, value: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{variable} is '{printable(value, 200)}', and {reason}.", advice=f"Correct or unset {variable}."
    )
