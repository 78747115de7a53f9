"""Records what sentences of tests/sentences are answered, for a person to read: `make replies`.

Without arguments it asks those that have no reply yet, and takes out those whose sentence is gone. With names of
intents it asks all of theirs anew and no others, with --all everything; what changed is then in `git diff`. Each
intent is written as soon as it is asked. It blesses nothing: read every reply it wrote.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import groupby
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
    parser.add_argument("--all", action="store_true", help="ask all anew")
    given = parser.parse_args()
    by_file = {path.name: list(sentences(path)) for path in sorted(SENTENCES.glob("*.yml"))}
    intents = {sentence.intent for found in by_file.values() for sentence in found}
    if unknown := set(given.renew) - intents:
        parser.error(f"no sentences for {', '.join(sorted(unknown))}")
    chosen = set(given.renew) or intents
    renew = bool(given.renew or given.all)
    with tempfile.TemporaryDirectory() as home, Assistant(Path(home)) as assistant:
        for name, found in by_file.items():
            _record(assistant, FOLDER / name, found, chosen, renew=renew)
    return 0


def _record(assistant: Assistant, path: Path, found: list[Sentence], chosen: set[str], *, renew: bool) -> None:
    known = {(one.intent, one.says): one for one in expected(path)} if path.exists() else {}
    default = asked_by_default()
    for intent, block in groupby(found, key=lambda sentence: sentence.intent):
        if intent not in chosen:
            continue
        added, missed = 0, []
        for says in (sentence.text for sentence in block):
            before = known.get((intent, says))
            if before is not None and not renew:
                continue
            understood = assistant.parse(says)["intent"]["name"]
            if understood != intent:
                missed.append(f"{says!r}: {understood}")
                known.pop((intent, says), None)
                continue
            asked = before.asked if before else default.get(intent, Asked())
            known[intent, says] = Expected(intent, says, asked, answer(assistant, asked, says))
            added += 1
        # What an intent still unasked had is kept, what a sentence now gone had is not.
        write_replies(path, [known[key] for one in found if (key := (one.intent, one.text)) in known])
        if added or missed:
            print(f"{path.name}, {intent}: {added} asked", *(f"  not understood: {one}" for one in missed), sep="\n")
            sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
