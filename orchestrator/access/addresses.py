"""Addresses: which are of this machine, and which count as one client."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def is_this_machine(host: str) -> bool:
    """Whether only programs of this machine have, or reach, this address."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def client_named(host: str) -> str:
    """Who counts as one client: an address; of IPv6 the network of 64 bits, in which one machine has many."""
    address = _address(host)
    if isinstance(address, IPv6Address) and not address.is_loopback:
        return str(ip_network((address, 64), strict=False))
    return host if address is None else str(address)


def is_address(host: str) -> bool:
    """Whether it is a number, and no name that somebody could point elsewhere."""
    return _address(host) is not None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0].strip("[]"))  # without the interface of a link-local address
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
