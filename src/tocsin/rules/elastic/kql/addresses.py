"""Addresses of queries as the networks of `Op.CIDR`.

An ip field orders and compares addresses as 128 bits, an IPv4 address as the IPv6 address that it
is mapped to. `Op.CIDR` takes them apart again, so a network that holds mapped addresses becomes one
for IPv6 and one for IPv4.
"""

from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network, summarize_address_range

from tocsin.rules.elastic.kql.tree import Order

_MAPPED = IPv6Network("::ffff:0:0/96")
_LAST = 2**128 - 1


def networks_of(text: str) -> tuple[str, ...] | None:
    """Return the networks that an address or a network stands for; None if it is neither.

    Bits behind the prefix do not count: `10.1.2.3/8` is `10.0.0.0/8`.
    """
    if "%" in text or (text[-1:] == "/"):
        return None
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    return _split(network) if isinstance(network, IPv6Network) else (str(network),)


def networks_beyond(text: str, order: Order) -> tuple[str, ...] | None:
    """Return the networks of all addresses on one side of an address; None if it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    number = int(address)
    if address.version == 4:
        number += int(_MAPPED.network_address)
    low, high = {
        Order.LESS: (0, number - 1),
        Order.LESS_OR_EQUAL: (0, number),
        Order.GREATER: (number + 1, _LAST),
        Order.GREATER_OR_EQUAL: (number, _LAST),
    }[order]
    if "%" in text:
        return None
    if low > high:
        return ()
    found = summarize_address_range(IPv6Address(low), IPv6Address(high))
    return tuple(one for network in found for one in _split(network))


def _split(network: IPv6Network) -> tuple[str, ...]:
    if network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return (f"{mapped}/{network.prefixlen - _MAPPED.prefixlen}",)
    return (str(network), "0.0.0.0/0") if network.supernet_of(_MAPPED) else (str(network),)
