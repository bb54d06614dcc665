"""The documents are true: files, names, settings, limits and log events in them are those of the tree and the binary."""

from __future__ import annotations

import functools
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, binary

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "proto/*.md", "db/*.md", "src/*/*.md", "tools/*/*.md")
    for path in REPOSITORY.glob(pattern)
)
FOLDERS = ("bench", "charts", "cmake", "db", "deploy", "docs", "proto", "src", "tests", "tools")
# Names with one of these beginnings, in backticks, are files or folders of the project.
PLACES = tuple(f"{folder}/" for folder in FOLDERS)
FILE_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)*\.(?:cc|h|json|md|proto|py|sh|sql|yaml)")
MAX_README_LINES = 150

# A document, a limit as the document states it, and the constant that holds the limit; its folder where names repeat.
LIMITS = [
    ("docs/api.md", "title | 1 to {} characters", "kMaxTitleCharacters"),
    ("docs/api.md", "description | {} characters", "kMaxDescriptionCharacters"),
    ("docs/api.md", "tags of a task | {} tags", "kMaxTags"),
    ("docs/api.md", "each of 1 to {} characters", "kMaxTagCharacters"),
    ("docs/api.md", "text of a search | {} characters", "kMaxFilterTextCharacters"),
    ("docs/api.md", "`order_by` | {} bytes", "kMaxOrderByBytes"),
    ("docs/api.md", "reminders of a task | {} reminders", "kMaxRemindersPerTask"),
    ("docs/api.md", "webhook endpoints of a user | {} endpoints, each URL", "kMaxWebhookEndpoints"),
    ("docs/api.md", "push subscriptions of a user | {} subscriptions", "kMaxPushSubscriptions"),
    ("docs/api.md", "endpoints, each URL up to {} bytes", "src/domain kMaxUrlBytes"),
    ("docs/api.md", "subscriptions, each URL up to {} bytes", "src/domain kMaxUrlBytes"),
    ("docs/api.md", "e-mail address | {} bytes", "kMaxAddressBytes"),
    ("docs/api.md", "at most {} of them before the @", "kMaxLocalBytes"),
    ("docs/api.md", "user id | {} bytes", "kMaxUserIdBytes"),
    ("docs/api.md", "page | 1 to {} entries", "kMaxPageSize"),
    ("docs/api.md", "entries, {} by default", "kDefaultPageSize"),
    ("docs/api.md", "PreviewRecurrence | {} dates", "kMaxUpcoming"),
    ("docs/api.md", "ParseTask | text of 1 to {} characters", "kMaxTextCharacters"),
    ("docs/api.md", "characters, {} stretches in", "kMaxPlainSpans"),
    ("docs/api.md", "ids in one MarkNotificationsRead | {} |", "kMaxIds"),
    ("docs/api.md", "changes in one BatchUpdateTasks | {} |", "kMaxMutations"),
    ("docs/api.md", "{} levels of JSON", "kMaxNesting"),
    ("docs/events/README.md", "more than {} levels of JSON", "kMaxNesting"),
    ("docs/recurrence.md", "rejected when it has more than {} bytes", "kMaxRuleBytes"),
    ("docs/recurrence.md", "more than {} times of day", "kMaxTimesOfDay"),
    ("docs/recurrence.md", "a COUNT or an INTERVAL above {}", "kMaxRuleCount"),
    ("docs/recurrence.md", "a COUNT or an INTERVAL above {}", "kMaxRuleInterval"),
    ("docs/reminders.md", "up to {} reminders", "kMaxRemindersPerTask"),
    ("docs/notifications.md", "the new secret and the last {}", "kMaxPreviousSecrets"),
    ("docs/live.md", "more than {} changes are missing", "max_missed_changes"),
    ("CONTRIBUTING.md", "A function in `src` has at most {} lines", "MAX_FUNCTION"),
    ("CONTRIBUTING.md", "a file at most {}", "MAX_FILE"),
]
IN_WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}
FLAGS_OF_KUBERNETES = {"from-literal", "raw", "reset-then-reuse-values", "set-file", "wait"}  # of kubectl and helm
FLAGS_OF_DAPRD = {"app-protocol", "app-port", "app-max-concurrency", "enable-app-health-check", "app-health-probe-interval",
                  "dapr-listen-addresses", "dapr-graceful-shutdown-seconds"}
# Names with an underscore in docs/operations.md that are not ours.
NOT_OURS = {"pg_stat_activity"}


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@functools.cache
def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*")) if path.is_file()]


@functools.cache
def text_of(*folders: str, without: tuple[str, ...] = ()) -> str:
    return "\n".join(path.read_text(errors="replace") for path in files(*folders) if path.suffix not in without)


def plain(text: str) -> str:
    """Without the line breaks of Markdown, so that a sentence can be searched."""
    return re.sub(r"\s+", " ", text)


def anchors_of(document: Path) -> set[str]:
    """As GitHub makes them from headings, and those that are written as such."""
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def settings_of_the_source() -> set[str]:
    table = "\n".join(path.read_text() for path in sorted((REPOSITORY / "src/app/config").glob("*.cc")))
    return set(re.findall(r'\b(?:Address|Number|Boolean|Text|Endpoint|Choice<[^>]*>|Duration)\(\s*"([a-z-]+)"', table))


def definitions_of_sql() -> dict[str, str]:
    """Each SQL function and the file that defines it last."""
    found = {}
    for path in [*files("db/migrations"), *files("db/functions")]:
        for function in re.findall(r"^create (?:or replace )?function (\w+)", path.read_text(), re.MULTILINE):
            found[function] = name_of(path)
    return found


def constant(name: str) -> set[int]:
    """The values under which the sources know `name`; one, unless copies differ."""
    *folders, name = name.split()
    found = set()
    source = text_of(*(folders or ("src", "tools")))
    for value in re.findall(rf"\b{name}\b(?:\{{| = )([\d'_* ]+)[;}}\n]", source):
        found.add(math.prod(int(re.sub(r"['_ ]", "", factor)) for factor in value.split("*")))
    return found


def test_the_settings_in_the_documents_are_those_of_the_binary() -> None:
    checked = subprocess.run(
        [sys.executable, REPOSITORY / "tools" / "settings_table.py", "--check", binary()],
        capture_output=True, text=True, check=False,
    )
    assert checked.returncode == 0, f"run `make docs`:\n{checked.stderr}"


def test_configuration_lists_the_settings_of_the_source() -> None:
    text = (REPOSITORY / "docs" / "configuration.md").read_text()
    listed = re.findall(r"^\| `--([a-z-]+)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(settings_of_the_source())


def test_the_readme_fits_on_a_page() -> None:
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    missing = []
    for link, anchor in re.findall(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text()):
        target = document.parent / link if link else document
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors_of(target)):
            missing.append(f"{link}#{anchor}")
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_files_in_a_document_exist(document: Path) -> None:
    known = [f"/{name_of(path)}" for path in files(*FOLDERS)] + [f"/{path.name}" for path in REPOSITORY.glob("*.md")]
    names = set(re.findall(r"`([\w./-]+)`", document.read_text()))
    missing = {name for name in names if name.startswith(PLACES) and not (REPOSITORY / name).exists()}
    missing |= {
        name for name in names if FILE_NAME.fullmatch(name) and not any(path.endswith(f"/{name}") for path in known)
    }
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_name_beside_a_file_stands_in_that_file(document: Path) -> None:
    """`name` (`file`) and `name`, `file`: an SQL function is defined there, and later nowhere else; C++ names occur there."""
    sql = definitions_of_sql()
    wrong = []
    for name, path in re.findall(r"`(\w+)(?:\([^`]*\))?`,? \(?`((?:db|src|tests|tools)/[\w./-]+)`", plain(document.read_text())):
        target = REPOSITORY / path
        if target.suffix == ".sql":
            if sql.get(name) != path:
                wrong.append(f"{name} is defined in {sql.get(name)}, not in {path}")
        elif target.is_file() and not re.search(rf"\b{name}\b", target.read_text()):
            wrong.append(f"{name} does not occur in {path}")
    assert not wrong


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_flags_in_a_document_exist(document: Path) -> None:
    """A flag is one of the service, of daprd, or of a program in tools, tests or bench."""
    others = text_of("tools", "tests", "bench", without=(".md",)) + (REPOSITORY / "Makefile").read_text()
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    flags = set(re.findall(r"(?<![\w-])--([a-z][a-z-]+[a-z])\b", text))
    unknown = flags - settings_of_the_source() - {"help", "print-config"} - FLAGS_OF_DAPRD - FLAGS_OF_KUBERNETES
    assert not {flag for flag in unknown if f"--{flag}" not in others}


@pytest.mark.parametrize(("document", "sentence", "name"), LIMITS, ids=[f"{name} in {path}" for path, _, name in LIMITS])
def test_limits_are_those_of_the_source(document: str, sentence: str, name: str) -> None:
    values = constant(name)
    assert len(values) == 1, f"{name} is {values or 'unknown'}"
    value = values.pop()
    text = plain((REPOSITORY / document).read_text())
    assert any(sentence.format(form) in text for form in (f"{value:,}", IN_WORDS.get(value, str(value))))


def test_names_for_operators_occur_in_the_source() -> None:
    """Metrics, log events, tables: every name with an underscore in docs/operations.md."""
    text = (REPOSITORY / "docs" / "operations.md").read_text()
    names = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text))
    names |= set(re.findall(r"^\| `([a-z]+)`", text, re.MULTILINE))  # a log event of one word
    source = text_of("src", "db", "proto", without=(".md",))
    assert not {name for name in names - NOT_OURS if not re.search(rf"\b{name}\b", source)}


def test_operations_names_every_event_that_needs_a_person() -> None:
    """Each log call that can have the severity error names events of docs/operations.md."""
    text = (REPOSITORY / "docs" / "operations.md").read_text()
    calls = re.findall(r"\bLog\([^;{]*?kError[^{;]*", text_of("src", without=(".md",)))
    events = {event for call in calls for event in re.findall(r'"([a-z]+(?:_[a-z]+)*)"', call)}
    assert events
    assert not {event for event in events if f"`{event}`" not in text}


def test_the_runbook_has_a_section_for_each_alert() -> None:
    alerts = re.findall(r"- alert: (\w+)", (REPOSITORY / "charts/todo-service/files/alerts.yaml").read_text())
    sections = re.findall(r"^## (Todo\w+)$", (REPOSITORY / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert alerts and sections == alerts, "in the same order"


def test_tests_that_the_runbook_names_have_tried_their_alerts() -> None:
    runbook = (REPOSITORY / "docs" / "runbook.md").read_text()
    tried = set()
    for section in runbook.split("\n## ")[1:]:
        name = section.split("\n", 1)[0]
        for path in re.findall(r"^Tried: `([^`]+)`", section, re.MULTILINE):
            if name.startswith("Todo"):
                assert f'fires("{name}"' in (REPOSITORY / path).read_text(), name
                tried.add(name)
    used = set(re.findall(r'assert fires\("(\w+)"', text_of("tests/metrics")))
    assert tried == used


def test_tests_that_the_security_page_names_exist() -> None:
    page = (REPOSITORY / "docs" / "security.md").read_text()
    sources = {path.stem for path in (REPOSITORY / "tests").rglob("*.cc")}
    programs = re.findall(r"`(\w+_test)`", page)
    fuzzers = [name for names in re.findall(r"fuzzers? (`\w+`(?:,? `\w+`|,? and `\w+`)*)", page)
               for name in re.findall(r"\w+", names) if name != "and"]
    assert len(programs) > 5 and len(fuzzers) > 5
    assert {*programs, *(f"{name}_fuzz" for name in fuzzers)} <= sources
