"""The pages: links resolve, what they name exists, and the integrator's snippets run as they stand there."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from mien.config import SHIPPED_CONFIG
from rigs.services import running_voice

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    ".",
    "docs",
    "docs/boards",
    "docs/decisions",
    "hil",
    "systemd",
    "firmware_scripts",
    "chaos",
    "mutants",
    "models",
)
OTHERS = ("runtime/mien/core/PROTOCOL.md", "models/avatars/README.md")
PAGES = [*sorted({path for folder in FOLDERS for path in (ROOT / folder).glob("*.md")}), *map(ROOT.joinpath, OTHERS)]
SECTIONS = tomllib.loads(SHIPPED_CONFIG.read_text())
FILES = "(?:json|key|key_secret|sock)\\b"
KEY = re.compile(rf"`(?:\[(\w+)\] |({'|'.join(s for s in SECTIONS if s != 'run_dir')})\.)(?!{FILES})(\w+)")
PACKAGES = sorted(path.name for path in (ROOT / "runtime/mien").iterdir() if (path / "__init__.py").exists())
MOST_ANIMATION_BYTES = 700_000
HEADINGS = ["Context", "Decision", "Consequence", "Figures"]
# What the integrator's snippets assume: a WAV, a TTS, a recogniser, a client, and a voice without keys.
BEFORE = """
import subprocess, types, mien.client
for name in ("hello", "ada"):
    subprocess.run(["espeak-ng", "-w", f"{name}.wav", "Hello there"], check=True)
real = mien.client.connect
mien.client.connect = lambda *endpoint, key=None, voice_key=None, **options: real(**options)
tts = lambda text: [bytes(2 * 2400)] * 3
recogniser = types.SimpleNamespace(feed=lambda data: None, text=lambda: "")
"""


def named(page):
    return str(page.relative_to(ROOT))


def anchors(page):
    """GitHub's anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_resolve(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text()) + re.findall(r'src="([^"]+)"', page.read_text())
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def mien_commands(text):
    """(command line, words) for each `mien ...` in backticks or in a block of commands."""
    lines = re.findall(r"`(mien [^`\n]+)`", text)
    lines += re.findall(r"^ {4,}(mien .+?)(?:\s{2,}#.*| \\)?$", text, re.MULTILINE)
    for line in lines:
        for part in re.split(r" (?:&&|\||;) | # ", line):
            if part.startswith("mien "):
                yield part, part.split()[1:]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_and_their_options_exist(page):
    from mien.cli import COMMANDS, main

    for line, words in mien_commands(page.read_text()):
        if words[0].startswith("-"):
            continue
        assert words[0] in COMMANDS, line
        command = main.get_command(click.Context(main), words[0])
        known = {option for parameter in command.params for option in parameter.opts}
        if isinstance(command, click.Group):
            known |= {option for sub in command.commands.values() for p in sub.params for option in p.opts}
        used = {word.split("=")[0] for word in words if re.fullmatch(r"--[a-z-]+(=.*)?", word)}
        assert used <= known | {"--help"}, line


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_configuration_keys_exist(page):
    for table, dotted, key in KEY.findall(page.read_text()):
        section = SECTIONS.get(table or dotted)
        if isinstance(section, dict):  # [wifi] and [network] are board.toml's
            assert key in section, f"{table or dotted}.{key}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    used = re.findall(r"`make ([a-z-]+)", text) + re.findall(r"^ {4}(?:sudo )?make ([a-z-]+)", text, re.MULTILINE)
    assert set(used) <= targets


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_modules_of_the_package_exist(page):
    for path in re.findall(rf"`((?:{'|'.join(PACKAGES)})/[\w/]+?(?:\.py|/)?)`", page.read_text()):
        module = ROOT / "runtime/mien" / path
        assert module.exists() or module.with_suffix(".py").exists() or (page.parent / path).exists(), path


def test_the_animation_is_small():
    assert (ROOT / "docs/face.webp").stat().st_size < MOST_ANIMATION_BYTES


def test_each_decision_has_its_headings_and_its_row():
    index = (ROOT / "docs/decisions/README.md").read_text()
    for page in (ROOT / "docs/decisions").glob("*.md"):
        if page.name != "README.md":
            assert re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE) == HEADINGS, page.name
            assert f"]({page.name})" in index


def test_the_integrators_python_runs(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/integrate.md").read_text(), re.DOTALL)
    assert len(blocks) >= 6
    with running_voice(tmp_path):
        ran = subprocess.run(
            [sys.executable, "-c", BEFORE + "".join(f"agent = real()\n{block}agent.close()\n" for block in blocks)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
            timeout=90,
        )
    assert ran.returncode == 0, ran.stderr
