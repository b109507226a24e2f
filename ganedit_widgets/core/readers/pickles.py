"""A reader for pickles that computes nothing: a table of harmless opcodes, exact names, inert records, limits.

Python's own unpickler is not used at all. Byte strings become views of the mapped file, so that the weights of networks
nobody asks for are never read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ModelError
from .inert import PLAIN, Inert, plain_set
from .names import Allowed, Pair

MOST_OPCODES = 5_000_000
MOST_CALLS = 1_000_000  # opcodes that name or call something
MOST_NESTING = 200
BROKEN = (ValueError, TypeError, KeyError, IndexError, struct.error, UnicodeError, OverflowError, AttributeError)


class Pickle:
    """One pickle in `data`, from `start` on; `file` names it in messages."""

    def __init__(
        self,
        data: memoryview,
        names: Mapping[Pair, Allowed],
        file: str,
        start: int = 0,
        storage_of: Callable[[Any], object] | None = None,
    ) -> None:
        self.data, self.names, self.file, self.position, self.storage_of = data, names, file, start, storage_of
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.calls = 0

    def load(self) -> Any:
        """Return the object; afterwards `position` is behind the pickle. Raises `ModelError` for everything unusual."""
        try:
            for _ in range(MOST_OPCODES):
                code = self.data[self.position]
                self.position += 1
                if code == STOP:
                    return self.stack.pop()
                operation = OPCODES.get(code)
                if operation is None:
                    raise ModelError(f"{self.file} uses the pickle opcode 0x{code:02x}, which no model needs: refused.")
                operation(self)
        except BROKEN as error:
            detail = str(error) if type(error) is ValueError else "it makes no sense"
            detail = "it ends in the middle" if self.position >= len(self.data) else detail
            raise ModelError(f"{self.file} is a damaged or truncated pickle ({detail}): fetch it again.") from error
        raise ModelError(f"{self.file} has more than {MOST_OPCODES} pickle opcodes: refused.")

    # ---- reading

    def take(self, size: int) -> memoryview:
        """Return the next `size` bytes as a view."""
        part = self.data[self.position : self.position + size]
        if len(part) != size:
            self.position = len(self.data)
            raise ValueError("it announces more bytes than it has")
        self.position += size
        return part

    def number(self, form: str) -> Any:
        """Return the next number; `form` as in `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        """Return the text up to the next line end."""
        text = bytes(self.data[self.position : self.position + 256]).split(b"\n", 1)
        if len(text) != 2:
            raise ValueError("a name has no end")
        self.position += len(text[0]) + 1
        return text[0].decode("utf-8")

    def pop_mark(self) -> list[Any]:
        """Return what was put on the stack since the last mark."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    # ---- names and calls

    def count_call(self) -> None:
        """Refuse files that name and call without end."""
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise ModelError(f"{self.file} has more than {MOST_CALLS} names and calls: refused.")

    def push_name(self, module: object, name: object) -> None:
        """Look the pair up in the table, literally."""
        self.count_call()
        allowed = self.names.get((module, name)) if type(module) is str and type(name) is str else None  # type: ignore[arg-type]
        if allowed is None:
            raise ModelError(
                f"{self.file} asks for {str(module)[:60]}.{str(name)[:60]}, which no StyleGAN file needs: it may be "
                "malicious and was refused; nothing of it was run."
            )
        self.stack.append(allowed)

    def reduce(self) -> None:
        """Call the stand-in of an allowed name."""
        self.count_call()
        arguments, name = self.stack.pop(), self.stack.pop()
        if not isinstance(name, Allowed) or name.call is None or type(arguments) is not tuple:
            raise ModelError(f"{self.file} calls something that is no function of a model: refused.")
        self.stack.append(name.call(*(_itself(a) for a in arguments)))

    def new_object(self) -> None:
        """Make an empty record of an allowed name."""
        self.count_call()
        arguments, name = self.stack.pop(), self.stack.pop()
        if not isinstance(name, Allowed) or name.new is None or arguments != ():
            raise ModelError(f"{self.file} makes an object that no model needs: refused.")
        self.stack.append(name.new())

    def build(self) -> None:
        """Give a record its state; nothing else has one."""
        self.count_call()
        state = self.stack.pop()
        if not isinstance(self.stack[-1], Inert):
            raise ModelError(f"{self.file} changes an object that has no state: refused.")
        self.stack[-1].set_state(state)

    def persistent(self) -> None:
        """Return the storage that a PyTorch container names."""
        if self.storage_of is None:
            raise ModelError(f"{self.file} refers to data outside of itself: refused.")
        self.stack.append(self.storage_of(self.stack.pop()))

    # ---- containers

    def mark(self) -> None:
        """Open a group."""
        if len(self.marks) >= MOST_NESTING:
            raise ModelError(f"{self.file} is nested deeper than {MOST_NESTING}: refused.")
        self.marks.append(self.stack)
        self.stack = []

    def tuple_of(self, count: int) -> None:
        """Make a tuple of the last `count` objects."""
        if len(self.stack) < count:
            raise ValueError("a tuple lacks items")
        items = tuple(self.stack[-count:])
        self.stack[-count:] = [items]

    def tuple_of_group(self) -> None:
        """Make a tuple of the objects since the mark."""
        items = self.pop_mark()
        self.stack.append(tuple(items))

    def append(self, items: list[Any]) -> None:
        """Append to a list."""
        if type(self.stack[-1]) is not list:
            raise ModelError(f"{self.file} appends to something that is no list: refused.")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Set items of a dictionary."""
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2 or any(type(key) not in PLAIN for key in items[::2]):
            raise ModelError(f"{self.file} has a dictionary with unusual keys: refused.")
        target.update(zip(items[::2], items[1::2], strict=True))

    def add_items(self, items: list[Any]) -> None:
        """Add to a set."""
        if type(self.stack[-1]) is not set:
            raise ModelError(f"{self.file} adds to something that is no set: refused.")
        self.stack[-1].update(plain_set(items))

    def remember(self, index: int) -> None:
        """Keep the last object for later use."""
        self.memo[index] = self.stack[-1]


def _itself(value: object) -> object:
    """Return what an allowed name means as an argument."""
    if not isinstance(value, Allowed):
        return value
    if value.itself is None:
        raise ValueError("a function is passed as an argument")
    return value.itself


def _stack_global(p: Pickle) -> None:
    name, module = p.stack.pop(), p.stack.pop()
    p.push_name(module, name)


def _text(form: str) -> Callable[[Pickle], None]:
    return lambda p: p.stack.append(str(p.take(p.number(form)), "utf-8", "surrogatepass"))


def _bytes(form: str) -> Callable[[Pickle], None]:
    return lambda p: p.stack.append(p.take(p.number(form)))


def _number(form: str) -> Callable[[Pickle], None]:
    return lambda p: p.stack.append(p.number(form))


def _constant(value: object) -> Callable[[Pickle], None]:
    return lambda p: p.stack.append(value)


STOP = ord(".")
OPCODES: dict[int, Callable[[Pickle], object]] = {
    0x80: lambda p: p.take(1),  # PROTO
    0x95: lambda p: p.take(8),  # FRAME
    # numbers, text, bytes
    ord("N"): _constant(None),
    0x88: _constant(True),
    0x89: _constant(False),
    ord("J"): _number("<i"),
    ord("K"): _number("<B"),
    ord("M"): _number("<H"),
    ord("G"): _number(">d"),
    0x8A: lambda p: p.stack.append(int.from_bytes(p.take(p.number("<B")), "little", signed=True)),  # LONG1
    ord("X"): _text("<I"),
    0x8C: _text("<B"),
    0x8D: _text("<Q"),
    ord("B"): _bytes("<I"),
    ord("C"): _bytes("<B"),
    0x8E: _bytes("<Q"),
    # containers
    ord("("): Pickle.mark,
    ord(")"): _constant(()),
    ord("]"): lambda p: p.stack.append([]),
    ord("}"): lambda p: p.stack.append({}),
    0x8F: lambda p: p.stack.append(set()),  # EMPTY_SET
    ord("t"): Pickle.tuple_of_group,
    0x85: lambda p: p.tuple_of(1),
    0x86: lambda p: p.tuple_of(2),
    0x87: lambda p: p.tuple_of(3),
    ord("a"): lambda p: p.append([p.stack.pop()]),
    ord("e"): lambda p: p.append(p.pop_mark()),
    ord("s"): lambda p: p.set_items([p.stack.pop(-2), p.stack.pop()]),
    ord("u"): lambda p: p.set_items(p.pop_mark()),
    0x90: lambda p: p.add_items(p.pop_mark()),  # ADDITEMS
    # the memo
    0x94: lambda p: p.remember(len(p.memo)),
    ord("q"): lambda p: p.remember(p.number("<B")),
    ord("r"): lambda p: p.remember(p.number("<I")),
    ord("h"): lambda p: p.stack.append(p.memo[p.number("<B")]),
    ord("j"): lambda p: p.stack.append(p.memo[p.number("<I")]),
    # names and calls
    ord("c"): lambda p: p.push_name(p.line(), p.line()),
    0x93: _stack_global,
    ord("R"): Pickle.reduce,
    0x81: Pickle.new_object,
    ord("b"): Pickle.build,
    ord("Q"): Pickle.persistent,
}
