"""Documents that wrap records: what stands in front of the first record, and behind the last.

    {"records": [ … ]}                     Event Hub, storage exports; "Records" of CloudTrail
    {"@odata.context": …, "value": [ … ]}  a page of Microsoft Graph; "value" first: of Azure's API
    [ … ]                                  an array

Other keys may stand in front of the array if they are no records themselves: texts, numbers,
objects and arrays of such. The array must then begin with an object, so that a record which happens
to have a list of that name stays a record.
"""

import re

import orjson

BLANKS = rb"[ \t\r\n]*+"

_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SCALAR = rb"(?:" + _TEXT + rb"|[-+.\w]++)"
_FLAT = rb'[\[{][^"\[\]{}]*+(?:' + _TEXT + rb'[^"\[\]{}]*+)*+[\]}]'
_VALUE = rb"(?:" + _SCALAR + rb"|" + _FLAT + rb")"
_COLON = BLANKS + rb":" + BLANKS
_RECORDS = rb'"[Rr]ecords"' + _COLON + rb"\["
_PAIRS = (
    rb'(?:(?!"(?:[Rr]ecords|value)")' + _TEXT + _COLON + _VALUE + BLANKS + rb"," + BLANKS + rb")"
)
_OBJECTS = rb"(?=" + BLANKS + rb"[{\]])"
_VALUES = rb'"value"' + _COLON + rb"\[" + _OBJECTS
_PAGE = rb'(?="@odata\.)' + _PAIRS + rb"++" + _VALUES

WRAPPER = re.compile(
    BLANKS
    + rb"\{"
    + BLANKS
    + rb"(?:"
    + rb"|".join((_RECORDS, _VALUES, _PAGE, _PAIRS + rb"++" + _RECORDS + _OBJECTS))
    + rb")",
    re.DOTALL,
)
"""An object up to the bracket that opens its records."""
ARRAY = re.compile(BLANKS + rb"\[" + _OBJECTS)
"""An array of objects up to its first."""
FIRST_KEYS = (b"rec", b"Rec", b"val", b"@od")
"""How the first key of a wrapper begins; of one whose first key is another, no line is made."""

MORE_RECORDS = re.compile(
    rb"[ \t\r\n,]*+" + _PAIRS + rb"*+(?:" + _RECORDS + rb"|" + _VALUES + rb")", re.DOTALL
)
"""What stands behind records, up to the bracket that opens some more of them."""


def is_rest(text: bytes) -> bool:
    """Say whether text is what may follow the records of a document: keys and values, if any.

    More records that `MORE_RECORDS` does not reach are not to be passed over.
    """
    text = text.strip()
    if not text:
        return True
    try:
        found = orjson.loads(b'{"":0' + text + b"}")
    except orjson.JSONDecodeError:
        return False
    return not any(isinstance(found.get(key), list) for key in ("records", "Records", "value"))
