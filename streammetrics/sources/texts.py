"""Texts for DuckDB: a large one, or many small ones joined in one file; each has sections of lines."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.sources import delimited, json_lines
from streammetrics.sources.columns import Columns, folded, known
from streammetrics.sources.delimited import Head
from streammetrics.sources.encoding import Examined, portions
from streammetrics.sources.plain import OPEN_QUOTE, plain
from streammetrics.sources.reader import PLACE_BITS, Plan, Reader, plain_parameters
from streammetrics.sources.tail import Tail
from streammetrics.store.statements import as_json, run, statement

_MOST_ATTEMPTS = 20
"""How often later headers are searched: each one that is found may reveal further ones."""


@dataclass(frozen=True)
class Section:
    """Lines of a text with the same columns.

    `first_line`: from 1, in the text as it is read. `before`: added to a line's number to get that in its file, with
    the file's place. `reason`: why none of the lines can be read, if so.
    """

    first_line: int
    before: int
    columns: Columns
    reason: str = ""

    @property
    def place(self) -> int:
        """The place of its file among those that are read together."""
        return (self.first_line + self.before) >> PLACE_BITS


@dataclass
class Text:
    """A text at `path` with `lines` lines from the first record on; all its files have the dialect of `plan`.

    `content`: for small texts, the bytes to write to `path`. `skipped`: the number of lines before the first record.
    `scratch`: the folder for its plain form, made from bytes in the encoding `codec`; None if it is plain already.
    """

    plan: Plan
    path: Path
    skipped: int = 0
    lines: int = 0
    sections: list[Section] = field(default_factory=list)
    scratch: Path | None = None
    codec: str = "utf-8"
    has_quotes: bool = True
    is_whole: bool = False
    content: bytearray = field(default_factory=bytearray)
    _attempts: int = 0

    @classmethod
    def large(cls, plan: Plan, tail: Tail, path: Path, examined: Examined, scratch: Path) -> "Text":
        """The text of a file of any size, read in place if it is plain."""
        before, codec = tail.lines_before(tail.start), tail.opened.bytes.codec
        sections = [Section(1, before + plan.skipped, plan.columns)]
        has_signs = examined.has_quotes if plan.head else examined.has_escapes
        text = cls(plan, path, plan.skipped, examined.lines - plan.skipped, sections, scratch, codec, has_signs)
        if not examined.is_plain:
            text._rewrite()
        head = plan.head
        is_one = not tail.start and (head is None or (head.lead == 0 and not text.has_quotes))
        text.is_whole = is_one and text.scratch is not None
        return text

    def add(self, plan: Plan, tail: Tail, place: int) -> None:
        """The text of a small file, at its place in the batch."""
        codec, delimiter = tail.opened.bytes.codec, plan.head.delimiter if plan.head else None
        before = tail.lines_before(tail.start) + plan.skipped
        found = b"".join(plain([tail.in_memory()], codec, delimiter, plan.skipped))
        self.content += found
        self.sections.append(Section(self.lines + 1, (place << PLACE_BITS) + before - self.lines, plan.columns))
        self.lines += found.count(b"\n")

    def add_lines(self, place: int, lines: Mapping[int, bytes]) -> None:
        """A text of single lines, by number, of the file at a place of the batch; each is a record."""
        for number in lines:
            before = (place << PLACE_BITS) + number - 1 - self.lines
            if not self.sections or self.sections[-1].before != before:
                self.sections.append(Section(self.lines + 1, before, self.plan.columns))
            self.lines += 1
        self.content += b"".join(plain([b"".join(line + b"\n" for line in lines.values())], "utf-8", None))

    @property
    def reader(self) -> Reader:
        """The reader of its lines; if it `is_whole`, DuckDB's own readers may read it too."""
        plan, sections = self.plan, self.sections
        is_alike = all((one.columns, one.reason) == (sections[0].columns, "") for one in sections)
        are_located = is_alike and (len(sections) > 1 or sections[0].place > 0)
        parameters: dict[str, object] = {"path": glob.escape(str(self.path)), "skipped": self.skipped}
        if are_located:
            lasts = [*(section.first_line - 1 for section in sections[1:]), self.lines]
            files = [
                {"first_line": one.first_line, "last_line": last, "added": one.before}
                for one, last in zip(sections, lasts, strict=True)
            ]
            parameters["files"] = as_json(files)
            sections = [replace(sections[0], before=0)]
        parameters |= {
            "befores": [section.before for section in sections],
            "places": [section.columns.places for section in sections],
            "widths": [len(section.columns.names) for section in sections],
            "names": [folded(section.columns.names) for section in sections] if plan.has_header else [[""]],
            "reasons": [section.reason for section in sections],
            "first_lines": [section.first_line for section in sections],
        }
        for_plain = plain_parameters(plan, has_escapes=self.has_quotes) if is_alike else {}
        read = {"read": statement("jobs/marked_lines" if self.scratch is None else "jobs/lines")}
        found = read | {"lines": "select *, 0 as line from read"}
        numbered = read | {"lines": "select *, row_number() over () as line from read"}
        if are_located:
            joined = {"joined": numbered["lines"], "lines": statement("jobs/located_lines")}
            numbered = found = read | joined
        if plan.head is None:
            kind, quick = "jobs/json_records", {"found_values": "jobs/line_values", "candidates": "jobs/plain_values"}
            own = {"found_values": "jobs/read_values"}
            pointers, stops, keys = json_lines.pointers(plan.columns, plan.paths)
            parameters |= {"pointers": pointers, "stops": stops, "keys": keys}
        else:
            kind, quick = "jobs/delimited_records", {"candidates": "jobs/plain_lines"}
            own = {"candidates": "jobs/read_fields"}
            sign = f"\\x{{{ord(plan.head.delimiter):x}}}"
            blanks = " *" if plan.head.is_spaced else ""
            parameters |= {
                "has_quotes": self.has_quotes,
                "delimiter": plan.head.delimiter,
                "field": f'{sign}{blanks}("(?:[^"]|"")*"{blanks}|[^"{sign}][^{sign}]*|)',
                "is_spaced": plan.head.is_spaced,
                "has_header": plan.has_header,
                "known_names": known(plan.file) if plan.has_header else [[], [], []],
            }
        quick["plain"] = "jobs/plain_records"
        plain = _statements(quick | own) if self.is_whole else found | _statements(quick)
        return Reader(
            found if is_alike else numbered,
            numbered,
            _statements({"placed": "jobs/one_section" if is_alike else "jobs/sections", "records": kind}),
            parameters | for_plain,
            plain if for_plain else {},
            numbered | _statements(quick),
            numbered | _statements({"unlike": "jobs/unlike_lines"}) if self.is_whole and plan.head else {},
            self.lines,
        )

    def give_up_speed(self) -> None:
        """A reader that reads line by line only."""
        self.is_whole, self.plan = False, replace(self.plan, guard=None)

    def reread(self, connection: Connection) -> Reader | None:
        """The reader that must replace the one whose records are staged, if any."""
        return self.reader if self.is_misread(connection) else None

    def is_misread(self, connection: Connection) -> bool:
        """Whether the staged records show that the text must be read in another way; then the next reader does so."""
        if self.plan.head is None or self._attempts >= _MOST_ATTEMPTS:
            return False
        self._attempts += 1
        odd = run(connection, "jobs/odd_records", {"reasons": [OPEN_QUOTE, delimited.HEADER]}).all()
        if self.scratch is not None and any(reason == OPEN_QUOTE for _, reason, _ in odd):
            self._rewrite()
            return True
        headers = [(line, content) for line, reason, content in odd if reason == delimited.HEADER]
        self.sections = self._with_headers(self.plan.head, headers)
        return bool(headers)

    def _rewrite(self) -> None:
        """Convert it to plain form, without the lines before the first record."""
        if self.scratch is None:
            raise ValueError("a text is made plain once")
        path, self.lines = self.scratch / "plain", 0
        delimiter = self.plan.head.delimiter if self.plan.head else None
        with path.open("wb") as target:
            for portion in plain(portions(self.path), self.codec, delimiter, self.skipped):
                target.write(portion)
                self.lines += portion.count(b"\n")
        self.path, self.scratch, self.skipped = path, None, 0

    def _with_headers(self, head: Head, headers: Sequence[tuple[int, str]]) -> list[Section]:
        """The sections, split at later headers."""
        found = {section.first_line: section for section in self.sections}
        for line, text in headers:
            place, number = line >> PLACE_BITS, line & ((1 << PLACE_BITS) - 1)
            inside = [one for one in found.values() if one.place == place]
            section = max(
                (one for one in inside if one.first_line <= line - one.before), key=lambda one: one.first_line
            )
            first_line = line - section.before
            row = delimited.fields(text, head.delimiter, is_spaced=head.is_spaced)
            columns, what, after = delimited.next_header(self.plan.file, row, number)
            if columns is not None:
                found[first_line] = replace(section, first_line=first_line, columns=columns)
            elif not section.reason:
                found[first_line] = replace(section, first_line=first_line, reason=what)
                # Unless another file begins there.
                found.setdefault(first_line + 1, replace(section, first_line=first_line + 1, reason=after))
        return [section for _, section in sorted(found.items())]


def _statements(names: Mapping[str, str]) -> dict[str, str]:
    return {relation: statement(name) for relation, name in names.items()}
