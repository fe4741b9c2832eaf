from __future__ import annotations

import pytest

from vaultrag.domain import Bound, StatedKind
from vaultrag.text.quantities.read import find_quantities

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0


@pytest.mark.parametrize(
    ("text", "kind", "low", "unit"),
    [
        ("Высота 84 см", StatedKind.MEASURE, 0.84, "m"),
        ("height: 184 cm.", StatedKind.MEASURE, 1.84, "m"),
        ("Скорость до 50 Мбит/с", StatedKind.MEASURE, 50e6, "bit/s"),
        ("не больше 2 000 лари", StatedKind.MONEY, 2000.0, "GEL"),
        ("$1.31 a month", StatedKind.MONEY, 1.31, "USD"),
        ("аренда 35 тыс. ₽", StatedKind.MONEY, 35_000.0, "RUB"),
        ("two hours up", StatedKind.DURATION, 2 * HOUR, "s"),
        ("1 h 20 up", StatedKind.DURATION, 80 * MINUTE, "s"),
        ("полтора часа", StatedKind.DURATION, 90 * MINUTE, "s"),
        ("за двадцать пять минут", StatedKind.DURATION, 25 * MINUTE, "s"),
        ("99.9 %", StatedKind.SHARE, 99.9, "%"),
        ("в 3:30", StatedKind.TIME, 210.0, "min"),
        ("at 7 pm", StatedKind.TIME, 19 * 60.0, "min"),
        ("41 M points", StatedKind.NUMBER, 41e6, ""),
        ("41 млн точек", StatedKind.NUMBER, 41e6, ""),
        ("двадцати тысяч", StatedKind.NUMBER, 20_000.0, ""),
        ("−5 °C", StatedKind.MEASURE, -5.0, "C"),
        ("Утром -10", StatedKind.NUMBER, -10.0, ""),
        ("с трёх ночи", StatedKind.TIME, 180.0, "min"),
        ("темп 6:14", StatedKind.DURATION, 374.0, "s"),
        ("6:34 на километр", StatedKind.DURATION, 394.0, "s"),
        ("2 ч.л. соли", StatedKind.MEASURE, 0.01, "l"),
    ],
)
def test_quantity_is_read_in_its_base_unit(text: str, kind: StatedKind, low: float, unit: str) -> None:
    [found] = find_quantities(text)[:1]
    assert (found.kind, found.unit) == (kind, unit)
    assert found.low == pytest.approx(low)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("раз в два года", 730 * DAY),
        ("twice a week", 3.5 * DAY),
        ("каждые две недели", 14 * DAY),
        ("every night", DAY),
        ("раз в квартал", 90 * DAY),
        ("every other day", 2 * DAY),
    ],
)
def test_how_often_is_the_time_between(text: str, seconds: float) -> None:
    [found] = find_quantities(text)
    assert found.repeats
    assert found.low == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("не больше 2000 лари", Bound.MOST),
        ("at most 40 kg", Bound.MOST),
        ("хотя бы 25 минут", Bound.LEAST),
        ("at least 3 days", Bound.LEAST),
        ("около 60 км", Bound.ABOUT),
        ("~60 km", Bound.ABOUT),
        ("60 km", Bound.EXACT),
    ],
)
def test_words_before_a_number_bound_it(text: str, bound: Bound) -> None:
    assert find_quantities(text)[0].bound is bound


def test_stretch_has_both_ends() -> None:
    [found] = find_quantities("брожение 3–3,5 ч")
    assert (found.low, found.high) == (3 * HOUR, 3.5 * HOUR)


@pytest.mark.parametrize("text", ["192.168.40.0/24", "v1.2.3", "RLC-520A", "5/9", "счёт 2:1:0-3"])
def test_names_and_scores_are_no_amounts(text: str) -> None:
    assert [one for one in find_quantities(text) if one.kind is StatedKind.NUMBER] == []


def test_a_quantity_stands_where_it_is_written() -> None:
    text = "Роутер 6.8 GB, потом 0.74 GB"
    assert [text[one.start : one.end] for one in find_quantities(text)] == ["6.8 GB", "0.74 GB"]
