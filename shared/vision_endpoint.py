"""Where photos are sent to be described, and whether that is the person's own machine or network."""

import ipaddress
import socket
from urllib.parse import urlsplit, urlunsplit

from shared.settings import Settings

_OWN_NAMES = (".localhost", ".local", ".home.arpa", ".docker.internal")  # names of the own network, by their end


def address(settings: Settings) -> str:
    """The base URL in use: the person's, else the default. Has a scheme, ends with a slash."""
    named = (settings.llm_base_url or settings.llm_default_base_url).strip().rstrip("/") + "/"
    return named if "://" in named else f"http://{named}"


def is_chosen(settings: Settings) -> bool:
    """Whether the person named the endpoint: then no other way of describing takes its place."""
    return settings.llm_base_url is not None


def shown(url: str) -> str:
    """The address as pages and messages say it: without a name and password, without a query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def host_of(url: str) -> str:
    """The host name or address in lower case; "" when there is none, which `is_remote` takes for remote."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def breaker_key(url: str, model: str) -> str:
    """What runs wait behind while this model does not answer there."""
    return f"vision:{shown(url)}:{model}"


def consent_key(host: str) -> str:
    """What runs wait behind until the person agrees to send photos to this host."""
    return f"consent:{host}"


def is_remote(host: str) -> bool:
    """Whether what is sent there leaves this machine and its network.

    Local are loopback, private and link-local addresses, names without a dot (compose services) and the names that
    are reserved for own networks. No name is looked up: a public name of a private address counts as remote.
    """
    number = _number(host)
    if number is not None:
        return not (number.is_loopback or number.is_private or number.is_link_local)
    return not host or ("." in host and not f".{host}".endswith(_OWN_NAMES))


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return getattr(number, "ipv4_mapped", None) or number
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))  # "134744072" is 8.8.8.8 to a resolver
    except (OSError, ValueError):
        return None
