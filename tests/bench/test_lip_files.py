from pathlib import Path

import pytest

from mien.bench.lip_files import aligned_prompt, file_stem, read_alignments, read_motion
from mien.errors import MienError


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "Expected `object`"),
        ("{}", "holds no prompt"),
        ('{"a": {"dur": 0, "phones": []}}', "dur"),
        ('{"a": {"dur": 1}}', "missing required field `phones`"),
        ('{"a": {"dur": 1, "phones": [["b", 0.1]]}}', r"a\.phones\[0\] is not"),
        ('{"a": {"dur": 1, "phones": [["b", 0.2, 0.1]]}}', r"a\.phones\[0\] is not"),
        ('{"a": {"dur": 1, "phones": [["b", "x", 0.1]]}}', r"a\.phones\[0\] is not"),
        ("\xff", "a.json"),
    ],
)
def test_a_bad_alignment_names_its_field(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(MienError, match=why):
        read_alignments(path)


@pytest.mark.parametrize(
    "text", ["", "time_s,jawOpen\n", "jawOpen\n1\n", "time_s,jawOpen\n0,x\n", "time_s,jawOpen\n0,1\n0.1\n"]
)
def test_a_bad_csv_names_its_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(MienError, match=r"a\.csv"):
        read_motion(path)


def test_times_that_go_back_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time_s,jawOpen\n0.1,0\n0,1\n")
    with pytest.raises(MienError, match="goes back"):
        read_motion(tmp_path / "a.csv")


def test_a_good_pair_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"one/two": {"dur": 0.5, "phones": [["b", -0.1, 0.2, "word"], ["a", 0.2, 0.5]]}}')
    (tmp_path / "one_two.csv").write_text("time_s,jawOpen,other\n0,0,0\n0.25,0,0\n0.3,1,0\n0.5,1,0\n")
    ((name, alignment),) = read_alignments(tmp_path / "a.json").items()
    prompt = aligned_prompt(alignment, read_motion(tmp_path / f"{file_stem(name)}.csv"))
    assert list(prompt.track[[0, 19, 20, 49]]) == ["B", "B", "AA", "AA"]
    assert prompt.seen.jaw[40] == 1
