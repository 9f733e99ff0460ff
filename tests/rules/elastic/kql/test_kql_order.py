"""Ranges of keywords and of addresses, against the orders that define them."""

import operator
from ipaddress import IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from tocsin.condition.evaluate import compile_regex, compile_test
from tocsin.condition.tree import Op
from tocsin.rules.elastic.kql.addresses import networks_beyond, networks_of
from tocsin.rules.elastic.kql.order import order_regex
from tocsin.rules.elastic.kql.tree import Order

COMPARE = {
    Order.LESS: operator.lt,
    Order.LESS_OR_EQUAL: operator.le,
    Order.GREATER: operator.gt,
    Order.GREATER_OR_EQUAL: operator.ge,
}
TEXTS = st.text(alphabet="ab\x00\n~é\ud7ff\ue000😀\U0010ffff", max_size=4)
ADDRESSES = (
    st.ip_addresses()
    | st.integers(0, 3).map(lambda low: ip_address(0x0A000000 + low))
    | st.integers(-2, 2).map(lambda by: IPv6Address(0xFFFF00000000 + by))
    | st.integers(-2, 2).map(lambda by: IPv6Address(0x1000000000000 + by))
)


@given(TEXTS, TEXTS, st.sampled_from(Order))
def test_keywords_are_ordered_by_their_bytes(value, bound, order):
    regex = order_regex(bound, order)
    found = bool(regex and compile_regex(regex).search(value))
    assert found == COMPARE[order](value.encode(), bound.encode())


def as_128_bits(address):
    mapped = 0xFFFF00000000 if address.version == 4 else 0
    return int(address) + mapped


def within(networks, address):
    return bool(networks) and compile_test(Op.CIDR, networks, fold_case=False)(str(address))


@given(ADDRESSES, ADDRESSES, st.sampled_from(Order))
def test_addresses_are_ordered_by_their_128_bits(address, bound, order):
    found = within(networks_beyond(str(bound), order), address)
    assert found == COMPARE[order](as_128_bits(address), as_128_bits(bound))


@given(ADDRESSES, ADDRESSES, st.data())
def test_a_network_holds_what_shares_its_prefix(address, start, data):
    length = data.draw(st.integers(0, start.max_prefixlen))
    beyond = start.max_prefixlen - length
    same = as_128_bits(address) >> beyond == as_128_bits(start) >> beyond
    assert within(networks_of(f"{start}/{length}"), address) == same
