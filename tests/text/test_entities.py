"""Character references of HTML, read as CommonMark 2.5 says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultrag.text.code_spans import parts
from vaultrag.text.entities import as_shown, decoded


@pytest.mark.parametrize(("written", "shown"), [
    ("M&uuml;ller", "Müller"), ("R&amp;D", "R&D"), ("&lt;100&gt;", "<100>"), ("&#1055;&#x440;&#X438;вет", "Привет"),
    ("а&nbsp;б&#10;в", "а б в"), ("&mdash;&hellip;&laquo;да&raquo;", "—…«да»"), ("&ngE;", "≧̸"),
    ("&#0;&#xD800;&#1114112;", "���"),
])  # fmt: skip
def test_a_reference_is_the_character_that_a_reader_sees(written: str, shown: str) -> None:
    assert decoded(written) == shown


@pytest.mark.parametrize(
    "text",
    ["R&D", "AT&T; да", "?a=1&copy=2&lt=3", "&nbsp", "&нет;", "&#;", "&#x;", "&#12345678;", "&такого нет;", "& amp;"],
)
def test_what_names_nothing_or_lacks_its_semicolon_stays(text: str) -> None:
    assert decoded(text) == text


def test_references_in_code_stand_for_themselves() -> None:
    text = "R&amp;D пишут `R&amp;D`, ``a ` &lt;``\n```html\n&nbsp;\n```\n&lt; и ` &gt;"
    assert as_shown(text) == "R&D пишут `R&amp;D`, ``a ` &lt;``\n```html\n&nbsp;\n```\n< и ` >"


@given(st.text(alphabet="`a& \n", max_size=30))
def test_pieces_of_code_and_text_are_all_of_the_text(text: str) -> None:
    found = list(parts(text))
    assert "".join(part for part, _ in found) == text
    assert all(part.startswith("`") and part.endswith("`") for part, is_code in found if is_code)
