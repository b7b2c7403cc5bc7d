"""Decoding of recorded messages by the definitions in the bag, or by our own where those are damaged or missing."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, TypesysError, get_types_from_idl, get_types_from_msg, get_typestore

from rehab_pose.bags.message_types import PACKAGE, type_store
from rehab_pose.errors import InputError

if TYPE_CHECKING:
    from rosbags.interfaces.typing import Typesdict
    from rosbags.typesys.store import Typestore

    from rehab_pose.messages.factory import Message

__all__ = ["MessageDecoder"]

MAX_DEFINITION = 1_000_000
"""Largest length of a definition that is parsed; the longest known one has 30,000 [characters]."""
IDL = "ros2idl"
IDL_SEPARATOR = "=" * 80 + "\n"
DAMAGED_DEFINITION: Final = (
    TypesysError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
    SyntaxError,
    NameError,
)
"""Errors of the parsers, and of the code that they make, on damaged definitions."""
DAMAGED_MESSAGE: Final = (
    SerdeError,
    struct.error,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    RecursionError,
)
"""Errors of the decoder on messages that do not fit their type."""


class MessageDecoder:
    """Decodes the messages of one type."""

    def __init__(self, type_name: str, definition: str, form: str) -> None:
        """Choose the definition.

        Args:
            type_name: The message type.
            definition: Its definition in the bag; '' = none.
            form: Format of the definition.
        """
        self._name = type_name
        self._store = self._chosen_store(definition, form)

    @property
    def known(self) -> bool:
        """True if the type can be decoded."""
        return self._store is not None

    def decode(self, data: bytes) -> Message:
        """Return a message; fields that its type got after the recording are NaN, zero or empty.

        Raises:
            InputError: The bytes do not fit the type, or the type is unknown.
        """
        if self._store is None:
            msg = f"expected a definition of {self._name}, the bag has none and it is no standard type"
            raise InputError(msg)
        try:
            message: Any = self._store.deserialize_cdr(data, self._name)
        except DAMAGED_MESSAGE as error:
            msg = f"expected a message of the type {self._name}, {len(data)} bytes cannot be decoded: {error}"
            raise InputError(msg) from error
        if self._store is not type_store():
            _complete(message, self._name)
        return message

    def _chosen_store(self, definition: str, form: str) -> Typestore | None:
        """Return our types where they equal those of the bag; else those of the bag, if they can be used."""
        ours = type_store()
        known = self._name in ours.types
        if not definition or len(definition) > MAX_DEFINITION:
            return ours if known else None
        try:
            types = _types(self._name, definition, form)
            if known and all(ours.fielddefs.get(name) == fields for name, fields in types.items()):
                return ours
            store = get_typestore(Stores.EMPTY)
            store.register(types)
            store.types[self._name]
        except DAMAGED_DEFINITION:
            return ours if known else None
        # Standard types do not change: one that differs is damaged. Our own types get new fields.
        if known and not self._name.startswith(f"{PACKAGE}/"):
            return ours
        return store


def _types(name: str, definition: str, form: str) -> Typesdict:
    """Return the types of a definition; raises errors of DAMAGED_DEFINITION."""
    if form != IDL:
        return get_types_from_msg(definition, name)
    if not definition.startswith(f"{IDL_SEPARATOR}IDL: "):
        return get_types_from_idl(definition)
    types: Typesdict = {}
    for part in definition.split(IDL_SEPARATOR)[1:]:
        types.update(get_types_from_idl(part.partition("\n")[2]))
    return types


def _complete(message: Any, name: str) -> None:  # noqa: ANN401  (a message of any type)
    """Add the fields that our type has and an older one has not."""
    if name not in type_store().types:
        return
    _, fields = type_store().fielddefs[name]
    for field, description in fields:
        if not hasattr(message, field):
            object.__setattr__(message, field, _missing(description))


def _missing(description: Any) -> Any:  # noqa: ANN401  (a description of a field, and its value)
    """Return the value of a field that was not recorded."""
    kind, detail = description
    if kind == Nodetype.BASE:
        basename = detail[0]
        return {"string": "", "bool": False}.get(basename, float("nan") if basename.startswith("float") else 0)
    if kind == Nodetype.NAME:
        _, fields = type_store().fielddefs[detail]
        return type_store().types[detail](**{field: _missing(entry) for field, entry in fields})
    (element_kind, element), _ = detail
    if element_kind == Nodetype.BASE and element[0] != "string":
        return np.zeros(0, dtype=np.dtype(element[0].replace("octet", "uint8").replace("char", "uint8")))
    return []
