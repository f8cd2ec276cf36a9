import logging

import pytest

from mien.host.journal import JournalHandler, log_handler


class Journal:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    def send(self, message: str, **fields: object) -> None:
        self.sent.append({"MESSAGE": message, **{name: str(value) for name, value in fields.items()}})


@pytest.fixture
def journal() -> Journal:
    return Journal()


def logger_to(journal: Journal) -> logging.Logger:
    log = logging.Logger("mien.test")
    log.addHandler(JournalHandler(journal.send))
    return log


def test_what_a_record_is_about_becomes_fields(journal: Journal) -> None:
    logger_to(journal).info("finished %s", "t1", extra={"turn": "t1", "session": 7, "level": "full"})
    sent = journal.sent[0]
    assert sent["MESSAGE"] == "finished t1"
    assert (sent["MIEN_TURN"], sent["MIEN_SESSION"], sent["MIEN_LEVEL"]) == ("t1", "7", "full")
    assert (sent["PRIORITY"], sent["LOGGER"], sent["SYSLOG_IDENTIFIER"]) == ("6", "mien.test", "mien")


def test_what_is_not_known_is_left_out(journal: Journal) -> None:
    logger_to(journal).warning("no sound card", extra={"turn": ""})
    assert not [name for name in journal.sent[0] if name.startswith("MIEN_")]
    assert journal.sent[0]["PRIORITY"] == "4"


def test_a_traceback_is_part_of_the_message(journal: Journal) -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        logger_to(journal).exception("failed")
    assert "ValueError: odd" in journal.sent[0]["MESSAGE"]
    assert journal.sent[0]["PRIORITY"] == "3"


def test_the_journal_of_systemd_takes_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    real = pytest.importorskip("systemd.journal", reason="systemd-python is not installed")
    taken: list[str] = []
    monkeypatch.setattr(real, "sendv", lambda *fields: taken.extend(fields))
    log = logging.Logger("mien.test")
    log.addHandler(JournalHandler(real.send))
    log.info("finished %s", "t1", extra={"turn": "t1"})
    assert {"MESSAGE=finished t1", "MIEN_TURN=t1", "PRIORITY=6"} <= set(taken)


def test_outside_systemd_records_go_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    log = logging.Logger("mien.test")
    log.addHandler(log_handler())
    log.info("hello")
    assert capsys.readouterr().err == "mien.test: hello\n"
