"""Refuses to start with a login that could not work, or that others could use."""

from urllib.parse import urlsplit

from pdp import keys
from pdp.address import is_private_url
from pdp.config import Config, HttpLogin
from pdp.errors import SetupError

DEMO_PATH = "/dev/idp"
"""Where the identity provider of `pdp dev` is. It lets everybody in."""


def refuse_bad_login(config: Config) -> None:
    """Raise `SetupError` that names the field at fault, where a login is configured."""
    http = config.http
    if http is None or http.login is None:
        return
    if not http.public_url:
        raise SetupError("http.public_url: with [http.login] say where browsers find the pages, https://host")
    if not is_private_url(http.public_url):
        raise SetupError("http.public_url: a browser keeps no session without https; give https://host")
    if urlsplit(http.public_url).path:
        raise SetupError("http.public_url: with [http.login] it has no path; give the pages a host of their own")
    _refuse_issuer(config, http.login)
    secret(http.login)


def _refuse_issuer(config: Config, login: HttpLogin) -> None:
    if urlsplit(login.issuer).path.rstrip("/").endswith(DEMO_PATH):
        raise SetupError("http.login.issuer: this is the login of `pdp dev`, which lets everybody in; give your own")
    found = next((issuer for issuer in config.issuers if issuer.issuer == login.issuer), None)
    if found is None or found.kind != "person":
        raise SetupError("http.login.issuer: give the name of one of [[issuers]] whose kind is person")
    audience = {found.audience} if isinstance(found.audience, str) else set(found.audience)
    if login.client_id not in audience:
        raise SetupError(f"http.login.client_id: add {login.client_id} to the audience of the issuer {found.type}")


def secret(login: HttpLogin) -> str:
    """The secret in its file. Raises `SetupError` where others can read the file, or where it is empty."""
    try:
        text = keys.secret(login.client_secret).decode().strip()
    except SetupError as error:
        raise SetupError(f"http.login.client_secret: {error.sentence}") from None
    except ValueError:
        raise SetupError(f"http.login.client_secret: {login.client_secret} cannot be read as text") from None
    if not text:
        raise SetupError(f"http.login.client_secret: {login.client_secret} is empty")
    return text
