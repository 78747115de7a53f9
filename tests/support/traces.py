"""Looks for words in files, however they may have been written there."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

#: Shorter words are found by chance.
SHORTEST = 7


class Traces:
    """The words in clear, in any case, as UTF-8 or UTF-16, percent-encoded, escaped as in JSON, in hexadecimal and in
    Base64 at any offset."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = frozenset(word for word in words if word)
        short = sorted(word for word in self.words if len(word) < SHORTEST)
        if short:
            raise ValueError(f"too short to look for: {short}")
        self._exact = re.compile(b"|".join(re.escape(form) for form in sorted(self._base64())))
        self._any_case = re.compile(b"|".join(re.escape(form) for form in sorted(self._forms())), re.IGNORECASE)

    def _forms(self) -> set[bytes]:
        forms: set[bytes] = set()
        for word in self.words:
            plain = word.encode()
            forms |= {plain, word.encode("utf-16-le"), quote(word, safe="").encode(), plain.hex().encode()}
            forms.add("".join(f"\\u{ord(character):04x}" for character in word).encode())
        return forms

    def _base64(self) -> set[bytes]:
        """For each of three offsets, the characters that depend on the word alone."""
        forms: set[bytes] = set()
        for word in self.words:
            for plain in {word.encode(), word.lower().encode(), word.upper().encode(), word.capitalize().encode()}:
                for offset in range(3):
                    coded = base64.b64encode(b"\0" * offset + plain)
                    start = -(-offset * 8 // 6)
                    sure = coded[start : (offset + len(plain)) * 8 // 6]
                    forms |= {sure, sure.replace(b"+", b"-").replace(b"/", b"_")}
        return forms

    def within(self, content: bytes) -> str:
        """The first found, as it stands there; "" when there is none."""
        for each in (content, *_unpacked(content)):
            found = self._any_case.search(each) or self._exact.search(each)
            if found:
                around = each[max(0, found.start() - 60) : found.end() + 20].decode("utf-8", "backslashreplace")
                return f"{found[0]!r} in {around}"
        return ""

    def under(self, folders: Iterable[Path]) -> dict[Path, str]:
        """Every file in these folders that holds one."""
        return {path: found for path in files_under(folders) if (found := self.within(_content(path)))}


def files_under(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _content(path: Path) -> bytes:
    try:
        return path.name.encode() + b"\n" + path.read_bytes()
    except FileNotFoundError:  # a temporary file that has gone
        return b""


def _unpacked(content: bytes) -> Iterator[bytes]:
    """What is inside, when the whole of it was packed."""
    _, _, body = content.partition(b"\n")
    for unpack in (gzip.decompress, zlib.decompress):
        for packed in (content, body):
            try:
                yield unpack(packed)
            except (OSError, EOFError, zlib.error):
                continue
