"""The log of visits: what is kept, what is masked, what is deleted, and what the report makes of it."""

import json
from datetime import date, datetime, timedelta
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from converse.visit.kiosk_world import World
from mien.cli import main
from mien.cli.converse_report import days
from mien.config import Config
from mien.converse.latency import Measured
from mien.converse.visit import signals
from mien.converse.visit.log.files import VisitFiles
from mien.converse.visit.log.keeper import VisitKeeper, keeper
from mien.converse.visit.log.line import visit_line
from mien.converse.visit.log.page import page
from mien.converse.visit.log.report import report
from mien.converse.visit.record import Record

S = 1_000_000_000
NOON = datetime(2030, 5, 31, 12, 0, 0)


class Wall:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


def made(tmp_path, wall=None, *, keep_days=30, mask=None):
    return VisitKeeper(VisitFiles(tmp_path / "visits", keep_days), mask=mask, wall=wall or Wall())


def record(**fields):
    return Record(
        **{
            "began_ns": 100 * S,
            "began_by": "pir",
            "greeted_ns": 101 * S,
            "first_question_ns": 107 * S,
            "first_answer_ns": 112 * S,
            "ended_ns": 160 * S,
            "ended": "word",
            "questions": 3,
            "answered": 2,
            "refused": 1,
            "language": "de",
            "captions": True,
            "touched_by": frozenset({"touch", "key"}),
            **fields,
        }
    )


def test_what_supervisors_may_be_told_is_what_may_be_kept(tmp_path):
    for mask, consented, told in (
        (None, True, ()),
        (upper, None, ("WHY?",)),
        (upper, True, ("WHY?",)),
        (upper, False, ()),
    ):
        kept = made(tmp_path, mask=mask)
        kept.refused("why?", "en")
        assert kept.questions(record(consented=consented)) == told
        kept.ended(record(consented=consented))
        assert kept.questions(record()) == (), "the next visitor's are others"


def upper(text, _):
    return text.upper()


def answer(ms):
    return Measured(0, *([ms * 1_000_000] * 5), heard_ns=ms * 1_000_000)


def lines(tmp_path):
    return [json.loads(line) for path in sorted((tmp_path / "visits").iterdir()) for line in path.open()]


def test_a_visit_is_a_line_of_times_and_counts(tmp_path):
    kept = made(tmp_path)
    kept.ended(record(), [answer(400)])
    (line,) = lines(tmp_path)
    assert line["utc"].endswith("Z")
    assert {key: line[key] for key in ("greeted_s", "first_question_s", "first_answer_s", "lasted_s")} == {
        "greeted_s": 1.0,
        "first_question_s": 7.0,
        "first_answer_s": 12.0,
        "lasted_s": 60.0,
    }
    assert (line["questions"], line["answered"], line["ended"], line["captions"]) == (3, 2, "word", True)
    assert (line["language"], line["touched_by"]) == ("de", ["key", "touch"])
    assert line["latencies_ms"][0]["all"] == 400.0
    path = next((tmp_path / "visits").iterdir())
    assert path.name == "visits-2030-05-31.jsonl"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_without_permission_no_word_is_kept(tmp_path):
    kept = made(tmp_path)
    kept.refused("where does Mr Secret live", "en")
    kept.ended(record())
    assert "Secret" not in next((tmp_path / "visits").iterdir()).read_text()


def test_the_questions_of_one_visit_are_not_those_of_the_next(tmp_path):
    kept = made(tmp_path, mask=upper)
    kept.refused("first", "en")
    kept.ended(record())
    kept.refused("second", "en")
    kept.ended(record(consented=False))  # who said no is counted, not quoted
    kept.ended(record())
    assert [line.get("unanswered") for line in lines(tmp_path)] == [["FIRST"], None, None]


def test_a_storm_of_questions_is_bounded(tmp_path):
    kept = made(tmp_path, mask=lambda text, _: text)
    for number in range(1000):
        kept.refused(f"{number}" * 500, "en")
    kept.ended(record())
    (line,) = lines(tmp_path)
    assert len(line["unanswered"]) == 20
    assert max(map(len, line["unanswered"])) == 200


def test_files_are_deleted_on_time(tmp_path):
    wall = Wall()
    kept = made(tmp_path, wall, keep_days=2)
    for _ in range(6):
        kept.ended(record())
        wall.now += timedelta(days=1)
        kept.step()
    names = sorted(path.name for path in (tmp_path / "visits").iterdir())
    assert names == ["visits-2030-06-04.jsonl", "visits-2030-06-05.jsonl"]  # it is the 6th
    (tmp_path / "visits" / "visits-notes.jsonl").write_text("mine")
    wall.now += timedelta(days=30)
    kept.step()
    assert [path.name for path in (tmp_path / "visits").iterdir()] == ["visits-notes.jsonl"]


def test_starting_deletes_what_grew_old_meanwhile(tmp_path):
    wall = Wall()
    made(tmp_path, wall).ended(record())
    wall.now += timedelta(days=31)
    made(tmp_path, wall)
    assert list((tmp_path / "visits").iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_the_line_alone(tmp_path, caplog):
    (tmp_path / "visits").write_text("a file")
    made(tmp_path).ended(record())
    assert "visit.log" in caplog.text


def test_nothing_is_kept_unless_configured():
    assert keeper(Config()) is None


def month():
    """Three visits of May."""
    return [
        visit_line(record(), NOON.astimezone(), latencies_ms=({"all": 400.0}, {"all": 800.0}), unanswered=("A dog?",)),
        visit_line(record(ended="left", answered=0, refused=0, questions=0), NOON.astimezone()),
        visit_line(
            record(ended="touch", touches=4, calls=1, calls_unanswered=1),
            NOON.astimezone(),
            unanswered=("a dog", "Why"),
        ),
    ]


def test_the_report_sums_up():
    made = report("2030-05", month())
    assert (made.visits, made.questions, made.answered, made.refused, made.answered_share) == (3, 6, 4, 2, 0.667)
    assert made.funnel["asked"] == 2
    assert made.ended == {"word": 1, "left": 1, "touch": 1}
    assert (made.by_touch, made.calls, made.calls_unanswered) == (1, 1, 1)
    assert made.unanswered == (("A dog?", 2), ("Why", 1))
    assert [(one.stage, one.median_ms, one.p95_ms) for one in made.latencies] == [("all", 600.0, 800.0)]
    assert made.by_hour[12] == 3


def test_an_empty_period_has_a_report_too():
    made = report("2030-05-01", [])
    assert (made.visits, made.answered_share, made.median_s) == (0, None, None)
    assert "Visits" in page(made)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_page_needs_nothing_else_and_quotes_what_was_asked():
    lines = [visit_line(record(), NOON.astimezone(), unanswered=("<script>alert(1)</script> & more",))]
    text = page(report("2030-05", lines))
    tags = Tags()
    tags.feed(text)
    names = [tag for tag, _ in tags.found]
    assert not {"script", "link", "img", "iframe"} & set(names)
    assert not any("src" in attributes or "href" in attributes for _, attributes in tags.found)
    assert "@import" not in text
    assert "url(" not in text
    assert "&lt;script&gt;" in text
    plots = [attributes.get("class") for tag, attributes in tags.found if tag == "div" and attributes.get("class")]
    assert plots == ["bars", "columns", "bars"]  # a single day has no plot by day


def test_a_month_is_plotted_by_day_and_says_what_could_not_be_read():
    days_of = [visit_line(record(), NOON.astimezone() + timedelta(days=day)) for day in (0, 0, 3)]
    made = report("2030-05", days_of, unreadable=2)
    assert list(made.by_day.values()) == [2, 0, 0, 1]
    text = page(made)
    assert 'aria-label="31: 2, 1: 0, 2: 0, 3: 1"' in text
    assert "2 lines of the log could not be read" in text


class TestCommand:
    def run(self, tmp_path, *arguments):
        return CliRunner().invoke(main, ["converse", "report", "--set", f"visit.log={tmp_path}/visits", *arguments])

    def test_a_table_json_and_a_page(self, tmp_path):
        made(tmp_path).ended(record(), [answer(400)])
        with (tmp_path / "visits" / "visits-2030-05-31.jsonl").open("a") as file:
            file.write("half a li\n")
        table = self.run(tmp_path, "--of", "2030-05")
        assert table.exit_code == 0, table.output
        assert "1 visits" in table.output
        assert "67 % answered" in table.output
        assert "1 lines of the log could not be read" in table.output
        data = json.loads(self.run(tmp_path, "--of", "2030-05-31", "--json").output)
        assert (data["visits"], data["unreadable"]) == (1, 1)
        assert json.loads(self.run(tmp_path, "--of", "2030-06", "--json").output)["visits"] == 0
        html = tmp_path / "may.html"
        assert self.run(tmp_path, "--of", "2030-05", "--html", str(html)).exit_code == 0
        assert html.read_text().startswith("<!doctype html>")

    @pytest.mark.parametrize("period", ["2030", "2030-13", "yesterday", "2030-02-30"])
    def test_a_period_that_is_none(self, tmp_path, period):
        done = self.run(tmp_path, "--of", period)
        assert done.exit_code == 2
        assert "2030-05-31" in done.output

    def test_without_a_log(self):
        done = CliRunner().invoke(main, ["converse", "report"])
        assert done.exit_code == 2
        assert "visit.log" in done.output


def test_the_days_of_a_month():
    assert days("2028-02") == (date(2028, 2, 1), date(2028, 2, 29))
    assert days("2030-05-31") == (date(2030, 5, 31),) * 2


def test_a_question_without_an_answer_reaches_the_log():
    refused = []
    world = World(knows=lambda _: None, refused=lambda *told: refused.append(told))
    world.signal(signals.Present(True, "touch"))
    world.wait(10)
    world.says("do you sell umbrellas here")
    world.wait(10)
    assert refused == [("do you sell umbrellas here", "en")]
