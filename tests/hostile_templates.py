"""Chat templates as somebody who wishes us ill would put them into a model file; the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator


def templates(count: int, seed: int) -> Iterator[str]:
    """Yield that many hostile templates, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield chance.choice(ATTACKS)(chance)


def _loop(chance: random.Random) -> str:
    depth, inner = chance.randint(1, 4), chance.choice(("", "x", "{{ loop.index * 3 }}", "{% set n = [1, 2] %}"))
    return "{% for a in range(99999) %}" * depth + inner + "{% endfor %}" * depth


def _doubling(chance: random.Random) -> str:
    """Make a value twice as large again and again, each way that Jinja knows."""
    step = chance.choice((
        "n.s ~ n.s", "n.s + n.s", "[n.s, n.s] | join", "n.s | replace('a', n.s)", "(n.s, n.s) | string",
        "n.s.replace('a', 'aa')", "n.s.join(['a', 'a', 'a'])", "'{0}{0}'.format(n.s)", "[n.s] | tojson",
        "n.s | indent(999)", "n.s.translate({97: 'aa'})",
    ))  # fmt: skip
    return (
        "{% set n = namespace(s='aaaaaaaa') %}{% for i in range(" + str(chance.choice((40, 99, 9999))) + ") %}"
        "{% set n.s = " + step + " %}{% endfor %}{{ n.s | length }}"
    )


def _padding(chance: random.Random) -> str:
    size = chance.choice((10**7, 10**9, 2 * 10**10, 10**18, 10**30))
    return "{{ " + chance.choice((
        f"'a' | center({size})", f"'a'.ljust({size})", f"'1'.zfill({size})", f"'\\t'.expandtabs({size})",
        f"'{{:>{size}}}'.format('a')", f"'a\\nb' | indent({size})", f"('%{size}d' | format(1))", f"'a' * {size}",
        f"[1] * {size}", f"[1, 2] | batch({size}, 0) | list", f"[1, 2] | slice({size}) | list", f"range({size}) | list",
        f"lipsum(n={min(size, 10**9)})", f"[[1]] | tojson({size})", f"'a' | wordwrap(1, wrapstring='b' * {size})",
    )) + " }}"  # fmt: skip


def _numbers(chance: random.Random) -> str:
    return chance.choice((
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{% set n = namespace(i=99) %}{% for a in range(60) %}{% set n.i = n.i * n.i %}{% endfor %}{{ n.i }}",
        "{{ 1 / 0 }}", "{{ 1 // 0 }}", "{{ " + "9" * chance.choice((100, 5000, 100000)) + " }}",
        "{{ (1e308 * 10) | int }}", "{{ 'a' % 1 }}", "{{ 3.5 | round(99999999999) }}", "{{ -1 | abs | pprint }}",
    ))  # fmt: skip


def _escape(chance: random.Random) -> str:
    """Reach for what the sandbox keeps away."""
    target = chance.choice(
        ("''", "[]", "messages", "raise_exception", "range", "self", "cycler", "loop", "namespace()")
    )
    path = chance.choice((
        ".__class__.__mro__[1].__subclasses__()", ".__init__.__globals__", "|attr('__class__')", ".__globals__['os']",
        "['__cl' ~ 'ass__']", ".mro()", ".__reduce_ex__(2)", ".format.__self__", "._TemplateReference__context",
        "|map(attribute='__class__')|list", ".gi_frame.f_back", ".__builtins__.eval('1')", ".func_globals",
    ))  # fmt: skip
    return f"{{{{ {target}{path} }}}}"


def _changing(chance: random.Random) -> str:
    return "{{ " + chance.choice((
        "messages.append(messages)", "messages.clear()", "messages[0].update({})", "messages[0].pop('role')",
        "messages.__setitem__(0, 1)", "messages.sort()", "messages | map('pop', 'role') | list",
    )) + " }}"  # fmt: skip


def _recursion(chance: random.Random) -> str:
    return chance.choice((
        "{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}",
        "{% macro m(x) %}{{ m([x, x]) }}{{ m(x) }}{% endmacro %}{{ m(1) }}",
        "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
        "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{{ " + "(" * chance.choice((50, 500, 50000)) + "1" + ")" * 500 + " }}",
        "{{ " + "not " * 100000 + "1 }}", "{{ " + "[" * 3000 + "]" * 3000 + " }}", "{{ a" + ".b" * 100000 + " }}",
        "{% if 1 %}" * chance.choice((50, 5000)) + "x", "{{ " + "1 + " * 50000 + "1 }}", "{{ " + "-" * 50000 + "1 }}",
    ))  # fmt: skip


def _unknown(chance: random.Random) -> str:
    return chance.choice((
        "{% nonsense %}", "{% include '/etc/passwd' %}", "{% import 'os' as os %}", "{% extends 'x' %}", "{% call %}",
        "{% generation %}", "{% endgeneration %}", "{% trans %}x{% endtrans %}", "{% do messages.append(1) %}",
        "{% raw %}",
        "{{ x | nonsense }}", "{{ nonsense() }}", "{% set messages = [] %}", "{% break %}", "{{", "}}", "{%", "{#",
        "{{ strftime_now('%' * 9) }}", "{{ strftime_now('%Y' ~ '\\ud800') }}", "{{ raise_exception() }}",
        "{{ raise_exception('x' ~ '\\n' ~ 'y') }}", "{{ raise_exception(messages) }}", "{% block a %}{% block a %}",
    ))  # fmt: skip


def _unicode(chance: random.Random) -> str:
    letters = "\u202e\u0000\u200b\ufeff\U0001f511аяЁ\u0301\ue000\ue001\ue002\x1b<|im_end|>\u2028\x85\r"
    text = "".join(chance.choice(letters) for _ in range(chance.choice((5, 200, 5000))))
    return chance.choice(
        (text, "{{ '" + text.replace("\r", "") + "' }}", "{% " + text + " %}", text * 40, "{{ " + text)
    )


def _garbage(chance: random.Random) -> str:
    parts = (
        "{{",
        "}}",
        "{%",
        "%}",
        "messages",
        "for",
        "in",
        "if",
        "(",
        ")",
        "[",
        "'",
        "|",
        "~",
        ".",
        "range",
        "set",
        "1",
    )
    return " ".join(chance.choice(parts) for _ in range(chance.randint(1, 60)))


def _slow_filter(chance: random.Random) -> str:
    """Give a filter with patterns of its own a long text."""
    start, filter_ = chance.choice((
        ("<", "striptags"), ("a.", "urlize"), ("a ", "wordwrap(1)"), ("(", "title"), ("&lt;", "striptags"),
        ("@", "urlize"), ("www.", "urlize"), ("<!--", "striptags"), ("http://", "urlize(99, true)"),
    ))  # fmt: skip
    return (
        f"{{% set n = namespace(s='{start}') %}}{{% for i in range({chance.choice((12, 17, 20))}) %}}"
        f"{{% set n.s = n.s ~ n.s %}}{{% endfor %}}{{{{ n.s | {filter_} | length }}}}"
    )


ATTACKS: tuple[Callable[[random.Random], str], ...] = (
    _loop, _doubling, _doubling, _padding, _padding, _numbers, _escape, _escape, _changing, _recursion, _unknown,
    _unicode, _garbage, _slow_filter,
)  # fmt: skip
