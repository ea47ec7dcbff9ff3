"""The signed cookie of a browser that gave the password."""

import hashlib
from dataclasses import dataclass

from itsdangerous import BadSignature, TimestampSigner

DAYS = 30
_SECONDS = DAYS * 24 * 60 * 60


@dataclass(frozen=True)
class Lock:
    """What opens the pages at present."""

    signing_key: str
    password_hash: str | None  # None: no password is asked for

    @property
    def cookie_name(self) -> str:
        """Cookies are shared by all ports of a host, so each archive has a name of its own."""
        return f"keepers-{hashlib.sha256(self.signing_key.encode()).hexdigest()[:8]}"

    def new_cookie(self) -> str:
        return self._signer().sign("in").decode()

    def is_opened_by(self, cookie: str | None) -> bool:
        """Whether this lock, with this password, signed the cookie in the last 30 days."""
        if cookie is None:
            return False
        try:
            return self._signer().unsign(cookie, _SECONDS) == b"in"
        except BadSignature:
            return False

    def _signer(self) -> TimestampSigner:
        # The password is in the key: all logins end when it changes.
        salt = f"login.{self.password_hash}"
        return TimestampSigner(self.signing_key, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)
