"""What is data of programs is told from what people write, however long that is."""

from __future__ import annotations

import json
import random
from hashlib import sha1
from itertools import pairwise

import pytest

from tests.text.noise import noise, wrapped
from vaultrag.domain import BlockKind
from vaultrag.text.machine_data import machine_data, parts_between, without_machine_data
from vaultrag.vault.parsing.plain import plain_text


def words(text: str, kind: BlockKind = BlockKind.PARAGRAPH) -> str:
    return " ".join(plain_text(text, kind).split())


PATH = "M10.5 20.3c-1.2 3.4-5.6 7.8" + " l12.5,3.5 h-4 v7.25 Z" * 20
BYTES = " ".join(f"{byte:02x}" for byte in random.Random(2).randbytes(96))

HIDDEN = [
    ("Схема ![](data:image/png;base64,{}) и подпись", "Схема и подпись"),
    ("Схема ![насос зимой](data:image/png;base64,{}) и подпись", "Схема насос зимой и подпись"),
    ("Фото <img width=3 src=\"data:image/jpeg;base64,{}\" style='x'> дома", "Фото дома"),
    ("Фото <img alt='Дом' src=\"data:image/jpeg;base64,{}\"> дома", "Фото Дом дома"),
    ("См. [файл](data:application/pdf;base64,{}).", "См. файл."),
    ("До {} после", "До после"),
    ("Ключ eyJhbGciOiJIUzI1NiIsInR5cCI6.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6.SflKxwRJSMeKKF2QT4f здесь", "Ключ здесь"),
    ("Секрет 🔐β 💡девичья фамилия💡{}🔐 конец", "Секрет 🔐β 💡девичья фамилия💡🔐 конец"),
    ("%%🔐α {}🔐%% конец", "🔐α 🔐 конец"),
    ("Ссылка https://mermaid.example/edit#pako:{} на схему", "Ссылка https://mermaid.example/edit#pako: на схему"),
    ("Вход https://auth.example/login?state={}&lang=ru тут", "Вход https://auth.example/login?state=&lang=ru тут"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "seen"), HIDDEN)
@pytest.mark.parametrize("size", [96, 4000])
def test_data_goes_and_the_words_beside_it_stay(form: str, seen: str, size: int) -> None:
    data = noise(size).replace("/", "_").replace("+", "-") if "http" in form else noise(size)
    assert words(form.format(data)) == seen


@pytest.mark.parametrize("width", [60, 64, 76, 256])
@pytest.mark.parametrize("quote", ["", "> ", "    "])
def test_lines_of_base64_go_with_the_last_shorter_one(width: int, quote: str) -> None:
    data = f"{wrapped(1500, width)}Qk9=".replace("\n", f"\n{quote}")
    assert words(f"Ключ:\n{quote}{data}\nКонец") == "Ключ: Конец"
    assert words(f"```\nКлюч:\n{data}\n```", BlockKind.CODE) == "Ключ:"


@pytest.mark.parametrize("name", ["PGP MESSAGE", "CERTIFICATE", "OPENSSH PRIVATE KEY", "AGE ENCRYPTED FILE"])
def test_keys_and_encrypted_messages_keep_their_name_alone(name: str) -> None:
    text = f"До\n-----BEGIN {name}-----\nVersion: 1\n{wrapped(300, 64)}\n=aB3d\n-----END {name}-----\nпосле"
    assert words(text) == f"До -----BEGIN {name}----- после"


def test_a_signed_message_is_read() -> None:
    signature = f"-----BEGIN PGP SIGNATURE-----\n{wrapped(300, 64)}\n-----END PGP SIGNATURE-----"
    text = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\nЯ согласен.\n{signature}"
    assert "Я согласен." in words(text)
    assert noise(300)[:20] not in words(text)


@pytest.mark.parametrize(
    "fence",
    [
        "```compressed-json\n{}\n```",
        '```json\n{{\n\t"type": "excalidraw",\n\t"x": [1, 2, 3], "y": "{}"\n}}\n```',
        '```json !!!_START_OF_TLDRAW_DATA__DO_NOT_CHANGE_THIS_PHRASE_!!!\n{{"raw": "{}"}}\n```',
        '```annotation-json\n{{"created": "2021-01-01T00:00:00Z", "text": "{}"}}\n```',
        '```handdrawn-ink\n{{"versionAtEmbed": "0.1", "filepath": "{}"}}\n```',
    ],
)
def test_fences_of_plugins_are_theirs(fence: str) -> None:
    assert words(fence.format("abc"), BlockKind.CODE) == ""
    assert words(f"- до\n{fence.format('abc')}\n- после", BlockKind.LIST) == "до после"


@pytest.mark.parametrize("size", [24, 3000])
def test_of_what_is_encrypted_the_hint_stays(size: int) -> None:
    data = noise(size)
    assert (
        words(f"```encrypt\n🔐β 💡девичья фамилия💡{data}🔐\n```", BlockKind.CODE)
        == "encrypt 🔐β 💡девичья фамилия💡🔐"
    )
    assert words(f"Пароль 🔐 {data} 🔐 дома") == "Пароль 🔐 🔐 дома"


def test_settings_of_plugins_are_theirs() -> None:
    text = '%% kanban:settings\n```\n{"kanban-plugin":"board","list-collapse":[false]}\n```\n%%'
    assert words(text, BlockKind.COMMENT) == ""
    assert words("%% настройки: дом %%", BlockKind.COMMENT) == "настройки: дом"
    assert words("==⚠  Switch to EXCALIDRAW VIEW in the MORE OPTIONS menu of this document. ⚠== You can…") == ""
    assert words(f"{'0a1b2c3d4e' * 4}: [[Насос.png]]") == "Насос.png"


def test_shapes_dumps_and_minified_data_go() -> None:
    assert words(f"```svg\n<path d=\"{PATH}\" id='насос'/>\n```", BlockKind.CODE) == "svg <path id='насос'/>"
    assert words(f'Вот <svg><path d="{PATH}"/><text>Насос</text></svg>') == "Вот Насос"
    assert words(f"```\nдамп\n{BYTES}\n```", BlockKind.CODE) == "дамп"
    data = json.dumps(
        [{"id": n, "k": noise(20, n), "title": "Meeting with Paul", "имя": "Анна"} for n in range(40)],
        separators=(",", ":"),
        ensure_ascii=False,
    )
    seen = words(f"```json\n{data}\n```", BlockKind.CODE)
    assert "Meeting with Paul" in seen
    assert "Анна" in seen
    assert noise(20, 3) not in words(data.replace("Meeting with Paul", "Meeting"))
    style = "".join(f".a{n}{{color:#f{n:02}0;margin:{n}px}}" for n in range(40))
    assert words(f"```css\n{style}\n```", BlockKind.CODE) == "css"
    vector = ",".join(f"{n / 7:.6f}" for n in range(60))
    assert words(f"Вектор [{vector}] модели") == "Вектор модели"
    assert words("0f" * 300) == ""


TITIN = "methionylthreonylthreonylglutaminylalanylprolylthreonylphenylalanyl" * 20


@pytest.mark.parametrize(
    "text",
    [
        "会议定于下周三下午三点在二楼会议室举行请各位准时参加并带上笔记本电脑" * 20,
        "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz",
        "Donaudampfschiffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        "превысокомногорассмотрительствующий" * 4,
        TITIN,
        "а" * 500,
        "https://example.org/blog/2024/05/kak-pochinit-kotel-v-chastnom-dome-svoimi-rukami-i-ne-zamerznut?utm_source=mail",
        "https://docs.google.com/document/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit#gid=0",
        "https://ru.wikipedia.org/wiki/%D0%9D%D0%B0%D1%81%D0%BE%D1%81_%D1%86%D0%B5%D0%BD%D1%82%D1%80%D0%BE%D0%B1%D0%B5%D0%B6",
        "/home/anna/projects/VaultRag2024/src/main/java/com/example/AbstractSingletonProxyFactoryBeanV2/Impl.java",
        "some_very_long_function_name_that_goes_on_and_on_and_never_stops_in_2024_nor_2025",
        "THIS_IS_A_VERY_LONG_CONSTANT_NAME_FOR_A_C_MACRO_THAT_NOBODY_READS_AT_ALL_2024",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b и 550e8400-e29b-41d4-a716-446655440000",
        "2024-01-01/2024-02-02/2024-03-03/2024-04-04/2024-05-05/2024-06-06/2024",
        r"$\frac{a_{1}}{b_{1}}+\frac{a_{2}}{b_{2}}+\frac{a_{3}}{b_{3}}+\frac{a_{4}}{b_{4}}+\frac{a_{5}}{b_{5}}"
        r"+\frac{a_{6}}{b_{6}}+\frac{a_{7}}{b_{7}}+\frac{a_{8}}{b_{8}}+\frac{a_{9}}{b_{9}}+\frac{a_{10}}{b_{10}}$",
        "один,два,три,четыре,пять," * 20,
        "metadata:image, data: Анна, data:, данные",
        "-" * 90,
        "|1,5|2,5|3,5|" * 30,
    ],
)
def test_what_merely_is_long_stays(text: str) -> None:
    assert machine_data(text) == []
    assert parts_between(text) is None


def test_a_list_of_commits_is_found_by_each() -> None:
    commits = "\n".join(sha1(str(n).encode(), usedforsecurity=False).hexdigest() for n in range(20))
    assert without_machine_data(f"Откатить:\n{commits}\n") == f"Откатить:\n{commits}\n"


def test_a_timetable_in_code_is_no_dump() -> None:
    text = "```\n" + ", ".join(f"{hour}:{minute:02}" for hour in range(10, 24) for minute in (0, 15, 30, 45)) + "\n```"
    assert machine_data(text, is_code=True) == []


def test_code_that_people_write_stays() -> None:
    text = '```dataviewjs\ndv.table(["Имя", "Дата"], dv.pages("#люди").map(p => [p.file.link, p.date]));\n```'
    assert machine_data(text, is_code=True) == []
    assert 'dv.pages("#люди")' in words(text, BlockKind.CODE)


def test_short_data_stays_inside_its_passage_and_long_data_parts_it() -> None:
    assert parts_between(f"до {noise(100)} после") == [(0, 108 + 1)]
    assert parts_between(f"до {noise(1000)} после") == [(0, 3), (1003, 1009)]
    assert parts_between(noise(1000)) == []
    assert without_machine_data(f"до {noise(100)} после").split() == ["до", "после"]


@pytest.mark.parametrize(
    "stretch",
    ["eyJ", "data:", "-----BEGIN X-----", "%% a:settings ", "# Drawing\n ", "```json\n", ' d="0 ', "0f ", "0f:", "a1B",
     '{"', '":', "A1b2C3d4/", "<a src='data:x/y,", "://", "🔐", "> ", "=\n", f"{noise(40)}\n", f"{noise(70)} "],
)  # fmt: skip
def test_a_repeated_stretch_is_read_in_order(stretch: str) -> None:
    text = stretch * (20_000 // len(stretch))
    for is_code in (False, True):
        found = machine_data(text, is_code=is_code)
        assert all(0 <= start <= end <= len(text) for start, end in found)
        assert all(left[1] < right[0] for left, right in pairwise(found))
