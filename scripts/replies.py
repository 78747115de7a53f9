"""Records what sentences of tests/sentences are answered, for a person to read: `make replies`.

Without arguments it adds those that have no reply yet, and takes out those whose sentence is gone. With names of
intents it asks all of theirs anew; what changed is then in `git diff`. It blesses nothing: read every reply it wrote.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.assistant import Assistant  # noqa: E402 - the tests' own helpers, found by the line above
from support.replies import FOLDER, Asked, Expected, answer, asked_by_default, expected  # noqa: E402
from support.replies import write as write_replies  # noqa: E402
from support.sentences import FOLDER as SENTENCES  # noqa: E402
from support.sentences import Sentence, sentences  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("renew", nargs="*", metavar="INTENT", help="an intent whose replies are to be asked anew")
    renew = set(parser.parse_args().renew)
    by_file: dict[str, list[Sentence]] = defaultdict(list)
    for path in sorted(SENTENCES.glob("*.yml")):
        by_file[path.name] = list(sentences(path))
    unknown = renew - {sentence.intent for found in by_file.values() for sentence in found}
    if unknown:
        parser.error(f"no sentences for {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as home, Assistant(Path(home)) as assistant:
        for name, found in by_file.items():
            _record(assistant, FOLDER / name, found, renew)
    return 0


def _record(assistant: Assistant, path: Path, found: list[Sentence], renew: set[str]) -> None:
    known = {(one.intent, one.says): one for one in expected(path)} if path.exists() else {}
    default = asked_by_default()
    replies, added, missed = [], 0, []
    for sentence in found:
        before = known.get((sentence.intent, sentence.text))
        if before is not None and sentence.intent not in renew:
            replies.append(before)
            continue
        asked = before.asked if before else default.get(sentence.intent, Asked())
        understood = assistant.parse(sentence.text)["intent"]["name"]
        if understood != sentence.intent:
            missed.append(f"{sentence.text!r}: {understood}, not {sentence.intent}")
            continue
        replies.append(Expected(sentence.intent, sentence.text, asked, answer(assistant, asked, sentence.text)))
        added += 1
    write_replies(path, replies)
    print(
        f"{path.name}: {added} asked, {len(replies)} in all",
        *(f"  not understood: {one}" for one in missed),
        sep="\n",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
