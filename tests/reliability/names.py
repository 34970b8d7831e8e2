"""Names that somebody might have chosen to break what reads them."""

import random

PAYLOADS = (
    "'; drop table events; --", '"; drop table alerts; --', "') union select * from alerts --", "1; attach 'x.db'",
    "x' || (select max(code) from events) || '", "$$; checkpoint; $$", "/* */ delete from counters", "\\'; vacuum; --",
    "'; copy (select 1) to 'pwned.txt'; --", "'; install httpfs; load httpfs; --", "pivot", "PIVOT events ON code",
    "Pivot", "SELECT", "select", "from", "null", "true", "case when", "order by", "group", "total", "second",
    "errors", "code", "build",
    "ts", "events", "counters_wide", "sum(errors)", "*", "%", "_", "[a-z]", "{0}", "{before}", "{name}", "%(name)s",
    "$1", ":build", "?", "?1", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", "]]>", "<!--",
    "$x^2$", "$\\frac{1}{0}$", "\\alpha", "_a^b", "$", "\x1b[31mred", "\x1b]0;title\x07", "\x1b[2J", "a\rb",
    "a\nb", "\x08\x08\x08", "\x7f", "\u009b31m", "\u202egnp.exe", "\u2066x\u2069", "\u200bzero", "\ufeffmark",
    "line\u2028sep",
    "../../etc/passwd", "/dev/zero", "C:\\con", "a/b\\c:d", "~", "-rf", "--help", "`id`", "$(id)", "|id", ";id", "&",
    "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@sum(1)", "\t=1", "\r=1", "1,2", '"quoted"', "'single'", "''", '""',
    "İstanbul", "ǅ", "ﬁ", "e\u0301", "é", "😀", "👩\u200d👩", "مرحبا", "中文", " ", "  lead", "trail  ", ".", "..", "0",
    "-0", "1e309", "NaN", "inf", "5.9", "5.9_7", "x" * 900, "'" * 900, "\x1b[31m" * 150, "[bold]rich[/]", "[/]",
)  # fmt: skip


def hostile_names(number: int) -> list[str]:
    """So many different names: each payload, then two of them joined."""
    dice = random.Random(17)
    names = dict.fromkeys(PAYLOADS)
    while len(names) < number:
        names["".join(dice.sample(PAYLOADS[:-3], 2))] = None
    return list(names)[:number]
