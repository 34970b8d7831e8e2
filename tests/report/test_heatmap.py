"""The pictures are drawn, opened again and looked at: sizes, words, colours, and what they do with too much."""

import warnings
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from streammetrics.config import Config
from streammetrics.errors import InputOutputError, UsageError
from streammetrics.report.heatmap import AlertedWindow, Heatmap, heatmaps, picture, words
from streammetrics.report.heatmap import draw_one as draw
from streammetrics.report.heatmap.grid import colour_limit, deviations, make_grid, units
from tests.histories import history
from tests.oracles.mean_rules import Record
from tests.rules import REFERENCE
from tests.streams import MONDAY

Floats = NDArray[np.float64]

MIDNIGHT = 1_795_392_000  # 2026-11-23 00:00 UTC


def a_heatmap(values: Floats, codes: tuple[str, ...] | None = None, **changes: object) -> Heatmap:
    heatmap = Heatmap(
        rule="difference",
        detector="mean_difference",
        baseline="5.9",
        candidate="5.10",
        bin_seconds=50,
        window_bins=(10, 20),
        threshold=6,
        first_bin=MIDNIGHT,
        codes=codes or tuple(str(code) for code in range(len(values))),
        values=values,
        alerted=(),
    )
    return replace(heatmap, **changes)  # type: ignore[arg-type]


def an_hour(**changes: object) -> Heatmap:
    """Twelve codes, -4 to 7, that differ by -1, 0 or 1; code 3 by 12 throughout, alerted in its first half."""
    values = np.array([[float((code + 2 * place) % 3 - 1) for place in range(72)] for code in range(12)])
    values[7] = 12.0
    codes = tuple(str(code) for code in range(-4, 8))
    alerted = (AlertedWindow("3", MIDNIGHT, MIDNIGHT + 1800, 20.04),)
    return replace(a_heatmap(values, codes, alerted=alerted), **changes)  # type: ignore[arg-type]


def a_day(codes: int = 44, bins: int = 8640) -> Heatmap:
    random = np.random.default_rng(7)
    values = (random.poisson(2.0, (codes, bins)) - random.poisson(2.0, (codes, bins))).astype(np.float64)
    alerted = tuple(
        AlertedWindow(str(code), MIDNIGHT + start, MIDNIGHT + start + 100)
        for code in range(codes)
        for start in range(0, bins * 10, 600)
    )
    return a_heatmap(values, bin_seconds=10, alerted=alerted)


def a_hostile_one() -> Heatmap:
    codes = (
        "$x^2$ \\frac{a}{b}",
        "<b>bold</b> & co",
        "line\nbreak",
        "W" * 5000,
        "\x00\x1b[31m",
        "\u202eevil",
        "",
        "日本",
    )
    alerted = tuple(AlertedWindow(code, MIDNIGHT, MIDNIGHT + 500) for code in codes)
    return a_heatmap(
        np.ones((8, 40)),
        codes,
        rule="$r$ <i>&" + "W" * 300,
        baseline="W" * 300,
        candidate="</text>$1$",
        alerted=alerted,
    )


def words_of(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()  # noqa: S314
    return ["".join(element.itertext()).strip() for element in root.iter() if element.tag.endswith("text")]


def rows_of(heatmap: Heatmap, folder: Path) -> list[Floats]:
    """The pixels of each row of the plot, its frame left out: arrays of (height, width, red green blue)."""
    draw(heatmap, folder / "rows.png")
    pixels = matplotlib.image.imread(folder / "rows.png")[:, :, :3]
    with picture.style():
        figure = picture.make_figure(heatmap)
        figure.draw_without_rendering()
        box = figure.axes[0].get_window_extent()
    top, bottom = round(pixels.shape[0] - box.y1), round(pixels.shape[0] - box.y0)
    plot = pixels[top + 2 : bottom - 2, round(box.x0) + 2 : round(box.x1) - 2]
    return np.array_split(plot.astype(float), make_grid(heatmap).values.shape[0])


def redness(pixels: Floats) -> float:
    return float(np.mean(pixels[..., 0] - pixels[..., 2]))


@pytest.mark.slow
def test_png_opens_and_grows_with_the_codes(tmp_path: Path) -> None:
    sizes = {}
    for codes in (1, 12, 44):
        draw(a_heatmap(np.zeros((codes, 72))), tmp_path / f"{codes}.png")
        height, width = matplotlib.image.imread(tmp_path / f"{codes}.png").shape[:2]
        sizes[codes] = (width, height)
    assert sizes == {1: (1600, 480), 12: (1600, 480), 44: (1600, 1060)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.png", "12.png", "44.png"]


def test_svg_says_what_is_compared_by_which_rule_and_in_which_units(tmp_path: Path) -> None:
    draw(an_hour(), tmp_path / "hour.svg")
    messages = words_of(tmp_path / "hour.svg")
    for expected in (
        "1 of 12 error codes alerted: 3",
        "candidate 5.10 against baseline 5.9",
        "rule difference (mean_difference): alerts where the mean of 10 or 20 bins of 50 s is above 6",
        "candidate minus baseline,",
        "errors in 50 s",
        "0",
        "+6",
        "00:10",
        "time (UTC)",
        "2026-Nov-23",
        "alerted",
        "no records, or not judged",
        "3  x20  since 00:00",
        *(str(code) for code in range(-4, 8) if code != 3),
    ):
        assert expected in messages
    assert not [text for text in messages if "neighbouring" in text or "other" in text]


def test_svg_holds_an_image_and_not_a_shape_for_each_cell(tmp_path: Path) -> None:
    draw(a_day(codes=10), tmp_path / "day.svg")
    text = (tmp_path / "day.svg").read_text(encoding="utf-8")
    assert "<image" in text
    assert text.count("<path") < 100
    assert len(text) < 1_000_000


@pytest.mark.slow
def test_the_same_data_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg", "a.png", "b.png"):
        draw(an_hour(), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("detector", ["mean_difference", "mean_ratio"])
def test_the_hot_code_is_the_reddest_row_and_the_improved_one_the_bluest(tmp_path: Path, detector: str) -> None:
    equal, more, fewer = (1.0, 4.0, 0.0) if detector == "mean_ratio" else (0.0, 20.0, -20.0)
    values = np.full((12, 72), equal)
    values[7], values[2] = more, fewer
    reds = [redness(row) for row in rows_of(a_heatmap(values, detector=detector, threshold=1.25), tmp_path)]
    assert np.argmax(reds) == 7
    assert np.argmin(reds) == 2
    assert reds[7] > 0.5
    assert reds[2] < -0.45
    assert max(abs(red) for place, red in enumerate(reds) if place not in (2, 7)) < 0.05


def test_more_is_always_redder_and_what_is_equal_is_lightest() -> None:
    shades = picture.colours()(np.linspace(0, 1, 65))[:, :3]
    assert np.all(np.diff(shades[:, 0] - shades[:, 2]) > 0)
    light = shades @ [0.2126, 0.7152, 0.0722]
    assert np.argmax(light) == 32
    assert np.all(np.diff(light[:33]) > 0)
    assert np.all(np.diff(light[32:]) < 0)


@pytest.mark.slow
def test_one_outlier_does_not_wash_out_the_rest(tmp_path: Path) -> None:
    values = an_hour().values.copy()
    values[1, 5] = 1e6
    with_outlier = an_hour(values=values)
    assert redness(rows_of(with_outlier, tmp_path)[7]) == pytest.approx(redness(rows_of(an_hour(), tmp_path)[7]))
    assert redness(rows_of(with_outlier, tmp_path)[7]) > 0.3


def test_a_tall_row_leaves_colours_to_the_others() -> None:
    """Of `sequential`: a row with a hundred times the errors is as calm as the others where nothing increased."""
    random = np.random.default_rng(7)
    rates = np.array([[0.5]] * 39 + [[100.0]])
    ratios = np.where((np.arange(40) % 39 == 0)[:, None] & (np.arange(8640) >= 4320), 1.8, 1.0)
    values = (random.poisson(rates * ratios, (40, 8640)) - random.poisson(rates, (40, 8640))) / 2
    drawn = a_heatmap(values, detector="sequential", bin_seconds=10, threshold=np.nan)
    grid = make_grid(drawn)
    found = deviations(grid.values, "sequential") / units(grid, "sequential")
    shades = np.clip(found / colour_limit(found, drawn), -1, 1)
    calm = np.abs(shades[:, :450]).mean(axis=1)
    assert calm.max() < 1.5 * calm.min()
    assert calm.max() < 0.3
    assert shades[0, 500:].mean() > 0.25
    assert shades[39, 500:].mean() > 0.95


def test_a_single_error_is_pale_and_a_row_may_be_empty() -> None:
    values = np.zeros((3, 8640))
    values[0, 4000] = 0.5
    values[2] = np.nan
    grid = make_grid(a_heatmap(values, detector="sequential"))
    assert units(grid, "sequential").tolist() == [[pytest.approx(1 / 9)]] * 3
    assert np.nanmax(grid.values[0]) / units(grid, "sequential")[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("values", "detector", "limit", "ends"),
    [
        ([1.0, -2.0, 9000.0], "mean_difference", 2.0, "max"),
        ([0.5, -0.2], "mean_difference", 1.25, "neither"),
        ([0.0, 0.125, 1.0, 2.0, np.nan, 8.0], "mean_ratio", 3.0, "min"),
        ([0.0, 30.0, 1.1, 1.1], "mean_ratio", np.log2(1.1), "both"),
    ],
)
def test_the_scale_is_symmetric_and_its_ends_say_what_lies_beyond(
    values: list[float], detector: str, limit: float, ends: str
) -> None:
    heatmap = a_heatmap(np.array([values]), detector=detector, threshold=1.25)
    with picture.style():
        figure = picture.make_figure(heatmap)
    image = figure.axes[0].images[0]
    assert image.get_clim() == pytest.approx((-max(1.0, limit), max(1.0, limit)))
    assert image.colorbar is not None
    assert image.colorbar.extend == ends


def test_levels_are_reported_as_what_they_stand_for() -> None:
    assert [words.level(level, "mean_ratio") for level in (-2, 0, 1)] == ["0.25", "1", "2"]
    assert [words.level(level, "mean_difference") for level in (-2.5, 0, 6)] == ["-2.5", "0", "+6"]
    assert deviations(np.array([0.25, 1.0, 2.0, 0.0]), "mean_ratio").tolist() == [-2.0, 0.0, 1.0, -np.inf]


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [0.0, -3.0, float("inf"), float("nan"), 1e300])
@pytest.mark.parametrize("detector", ["mean_difference", "mean_ratio"])
def test_any_threshold_can_be_drawn(tmp_path: Path, detector: str, threshold: float) -> None:
    draw(an_hour(detector=detector, threshold=threshold), tmp_path / "any.svg")
    assert "1 of 12 error codes alerted: 3" in words_of(tmp_path / "any.svg")


def test_a_calm_hour_looks_calm(tmp_path: Path) -> None:
    values = np.zeros((3, 72))
    values[1, ::2] = 0.5
    assert colour_limit(values, a_heatmap(values, threshold=6)) == 6
    assert all(abs(redness(row)) < 0.05 for row in rows_of(a_heatmap(values, threshold=6), tmp_path))


def test_unknown_bins_are_grey_and_an_alert_is_outlined(tmp_path: Path) -> None:
    values = np.zeros((2, 10))
    values[0] = np.nan
    above, below = rows_of(a_heatmap(values, alerted=(AlertedWindow("1", MIDNIGHT, MIDNIGHT + 250),)), tmp_path)
    middle = above.shape[0] // 2
    assert np.allclose(above[middle, 100:-100], 0xBD / 255, atol=0.01)
    left, right = np.array_split(below[5:], 2, axis=1)
    assert (left.max(axis=2) < 0.1).sum() > 1000
    assert (right[:, 20:].max(axis=2) < 0.1).sum() == 0


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("10", "9", "-17", "+2", "007"), ("-17", "+2", "007", "9", "10")),
        (("10", "9", "E_TIMEOUT"), ("10", "9", "E_TIMEOUT")),
        (("9", "1" * 5000), ("1" * 5000, "9")),
    ],
)
def test_codes_stand_in_their_order_with_their_values(codes: tuple[str, ...], expected: tuple[str, ...]) -> None:
    values = np.array([[float(place)] for place in range(len(codes))])
    grid = make_grid(a_heatmap(values, codes))
    assert grid.codes == expected
    assert [codes[round(row[0])] for row in grid.values] == list(expected)


def test_too_many_bins_are_folded_into_means_of_what_is_known(tmp_path: Path) -> None:
    values = np.zeros((1, 2401))
    values[0, :6] = [1.0, 2.0, 6.0, np.nan, 5.0, np.nan]
    values[0, 6:9] = np.nan
    values[0, -1] = 7.0
    heatmap = a_heatmap(values, bin_seconds=10)
    grid = make_grid(heatmap)
    assert (grid.column_bins, grid.values.shape) == (3, (1, 801))
    assert grid.values[0, :2].tolist() == [3.0, 5.0]
    assert np.isnan(grid.values[0, 2])
    assert grid.values[0, -1] == 7.0
    draw(heatmap, tmp_path / "folded.svg")
    assert "Each column is the mean of 3 neighbouring bins (30 s)." in words_of(tmp_path / "folded.svg")
    assert make_grid(a_heatmap(np.zeros((1, 1000)))).column_bins == 1
    assert make_grid(a_heatmap(np.zeros((1, 1001)))).column_bins == 2


@pytest.mark.slow
def test_too_many_codes_are_folded_but_for_the_alerted_and_the_farthest(tmp_path: Path) -> None:
    values = np.zeros((200, 4))
    values[:, 0] = 4.0
    values[100:157] = -50.0
    values[0] = [8.0, 0.0, 0.0, 0.0]
    alerted = (AlertedWindow("150", MIDNIGHT, MIDNIGHT + 50), AlertedWindow("199", MIDNIGHT, MIDNIGHT + 200))
    heatmap = a_heatmap(values, alerted=alerted)
    grid = make_grid(heatmap)
    assert grid.codes == ("0", *(str(code) for code in range(100, 157)), "199")
    assert grid.folded == 141
    assert grid.values[-1].tolist() == [4.0, 0.0, 0.0, 0.0]
    assert grid.alerted == ("199", "150")
    draw(heatmap, tmp_path / "folded.svg")
    messages = words_of(tmp_path / "folded.svg")
    assert "other 141 codes (mean)" in messages
    assert "2 of 200 error codes alerted: 199, 150" in messages
    assert (
        "59 codes have a row: the longest alerted, then the farthest from equal. "
        "The last row is the mean of the other 141, none of them alerted."
    ) in messages
    assert make_grid(a_heatmap(np.zeros((60, 1)))).folded == 0


@pytest.mark.slow
def test_an_alert_of_a_folded_code_is_outlined_and_counted(tmp_path: Path) -> None:
    alerted = tuple(AlertedWindow(str(code), MIDNIGHT, MIDNIGHT + (50 if code == 60 else 100)) for code in range(61))
    heatmap = a_heatmap(np.zeros((61, 4)), alerted=alerted)
    grid = make_grid(heatmap)
    assert grid.codes == tuple(str(code) for code in range(59))
    assert words.notes(heatmap, grid)[0].endswith("the other 2, 2 of them alerted.")
    others = rows_of(heatmap, tmp_path)[-1][5:-5]
    assert (others.max(axis=2) < 0.1).sum() >= len(others)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (3600, ["00:00", "00:05", "00:10", "00:15", "00:20", "00:25", "00:30", "00:35", "00:40", "00:45", "00:50",
                "00:55", "01:00"]),
        (86400, ["Nov-23", "02:00", "04:00", "06:00", "08:00", "10:00", "12:00", "14:00", "16:00", "18:00", "20:00",
                 "22:00", "Nov-24"]),
        (7 * 86400, ["23", "24", "25", "26", "27", "28", "29", "30"]),
    ],
)  # fmt: skip
def test_times_are_few_and_round(seconds: int, expected: list[str]) -> None:
    with picture.style():
        figure = picture.make_figure(a_heatmap(np.zeros((1, seconds // 600)), bin_seconds=600))
        figure.draw_without_rendering()
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == expected


@pytest.mark.slow
def test_names_are_drawn_and_not_obeyed(tmp_path: Path) -> None:
    draw(a_hostile_one(), tmp_path / "hostile.svg")
    draw(a_hostile_one(), tmp_path / "hostile.png")
    messages = words_of(tmp_path / "hostile.svg")
    for expected in (
        "$x^2$ \\frac{a}{b}",
        "<b>bold</b> & co",
        "line\\nbreak",
        "WWWWWWWWWWWW…WWWWWWWWWWW",
        "\\x00\\x1b[31m",
        "\\u202eevil",
        '""',
        "日本",
    ):
        assert f"{expected}  since 00:00" in messages
    assert any(text.startswith("candidate </text>$1$ against baseline WWW") and "…" in text for text in messages)
    assert any(text.startswith("rule $r$ <i>&") and text.endswith("bins of 50 s is above 6") for text in messages)


def test_names_are_cut_in_their_middle() -> None:
    assert words.name("short", 6) == "short"
    assert words.name("E_LONG_NAME_A", 6) == "E_L…_A"
    assert words.name("エラー", 6, str.isascii) == "\\u30a8…\\u30fc"
    assert words.name("エラー", 9, str.isascii) == "\\u30a8\\u30e9\\u30fc"
    assert words.name("エ" * 12 + "ー" * 12, 12, str.isascii) == "\\u30a8\\u30a8…\\u30fc\\u30fc"


def test_letters_that_the_font_lacks_are_distinguished(tmp_path: Path) -> None:
    codes = ("エラー", "ヘンナ", "🤖", "E_Ü")
    alerted = tuple(AlertedWindow(code, MIDNIGHT, MIDNIGHT + 1800) for code in codes)
    heatmap = a_heatmap(np.ones((4, 72)), codes, alerted=alerted, rule="規則", candidate="五")
    with picture.style(), warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing")
        figure = picture.make_figure(heatmap, picture.font_shows())
        figure.savefig(tmp_path / "x.png")
        labels = [label.get_text().split()[0] for label in figure.axes[0].get_yticklabels()]
    assert set(labels) == {"\\u30a8\\u30e9\\u30fc", "\\u30d8\\u30f3\\u30ca", "\\U0001f916", "E_Ü"}
    # Whatever opens an SVG has fonts of its own.
    draw(heatmap, tmp_path / "x.svg")
    assert any(text.startswith("エラー") for text in words_of(tmp_path / "x.svg"))


def test_a_png_is_drawn_so(tmp_path: Path) -> None:
    for name, code in (("a", "エラー"), ("b", "ヘンナ")):
        draw(a_heatmap(np.ones((1, 72)), (code,)), tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_the_headline_has_room_for_escapes() -> None:
    codes = tuple("ヘ" * 3 + chr(0x30A0 + n) * 3 for n in range(9))
    alerted = tuple(AlertedWindow(code, MIDNIGHT, MIDNIGHT + 1800) for code in codes)
    messages = words.headline(make_grid(a_heatmap(np.ones((9, 72)), codes, alerted=alerted)), str.isascii)
    assert len(messages) < 200
    assert messages.endswith(" and 5 more")


@pytest.mark.slow
@pytest.mark.parametrize(
    "heatmap",
    [
        an_hour(),
        a_hostile_one(),
        an_hour(detector="mean_ratio", threshold=64.0, values=np.full((12, 72), 0.0)),
        an_hour(threshold=123456.0),
        a_heatmap(np.full((1, 1), np.nan), bin_seconds=1),
        a_heatmap(np.ones((200, 1300)), tuple(f"E_{code:0200}" for code in range(200)), first_bin=MIDNIGHT - 3),
        a_heatmap(np.ones((3, 200)), bin_seconds=86400, threshold=1e300),
    ],
    ids=["hour", "hostile", "ratio", "threshold", "one bin", "folded", "days"],
)
def test_no_text_overlaps_another_or_leaves_the_picture(heatmap: Heatmap, monkeypatch: pytest.MonkeyPatch) -> None:
    with picture.style():
        figure = picture.make_figure(heatmap)
        # What is found in a figure includes the labels of ticks that lie outside and are not drawn.
        drawn: dict[Text, Bbox] = {}
        monkeypatch.setattr(Text, "draw", lambda text, renderer: drawn.update({text: text.get_window_extent(renderer)}))
        figure.draw_without_rendering()
    boxes = [(text.get_text(), box) for text, box in drawn.items() if text.get_visible() and text.get_text()]
    assert len(boxes) > 12
    for place, (text, box) in enumerate(boxes):
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.width, text
        assert box.y1 <= figure.bbox.height, text
        assert [other for other, its in boxes[place + 1 :] if box.overlaps(its)] == [], text


@pytest.mark.slow
def test_personal_settings_change_nothing_and_are_left_alone(tmp_path: Path) -> None:
    draw(an_hour(), tmp_path / "plain.png")
    with mpl.rc_context({"text.usetex": True, "font.size": 30.0, "savefig.bbox": "tight"}):
        draw(an_hour(), tmp_path / "personal.png")
        assert mpl.rcParams["font.size"] == 30.0
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "personal.png").read_bytes()


@pytest.mark.parametrize("name", ["heat.pdf", "heat", ".png"])
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        draw(an_hour(), tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: the suffix of a heatmap must be .png or .svg"
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    beneath = tmp_path / "a_file" / "heat.png"
    beneath.parent.touch()
    with pytest.raises(InputOutputError) as caught:
        draw(an_hour(), beneath)
    assert str(caught.value) == f"{beneath}: the heatmap cannot be written: File exists"
    beneath.parent.unlink()
    folder = tmp_path / "heat.PNG"
    folder.mkdir()
    with pytest.raises(InputOutputError, match="Is a directory"):
        draw(an_hour(), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["heat.PNG"]


@pytest.mark.slow
def test_a_bin_that_is_not_judged_yet_has_no_colour(tmp_path: Path) -> None:
    """The one build sends up to 00:03:19, the other a bit less: the last bin waits for it."""
    records = [Record(MONDAY + second, build, "7") for second in range(200) for build in ("1.9", "1.10")]
    store = history(tmp_path / "s.duckdb", [r for r in records if r.build == "1.9" or r.second < MONDAY + 195])
    with store.read() as connection:
        found = list(heatmaps(connection, Config(rule=REFERENCE), MONDAY, MONDAY + 200, "ratio"))
    ends = {heatmap.first_bin + heatmap.values.shape[1] * heatmap.bin_seconds - MONDAY for heatmap in found}
    assert ends == {190}
