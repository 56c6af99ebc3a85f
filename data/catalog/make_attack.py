#!/usr/bin/env python3
"""Writes attack.toml: the ATT&CK techniques that the other catalog files name.

    python3 make_attack.py EXTRACT.json

EXTRACT.json is an extract of ATT&CK Enterprise with the keys `version`,
`tactics` (short name -> id, name) and `techniques` (id -> name, tactics,
platforms, revoked, deprecated, subtechnique).
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEADER = """\
# ATT&CK Enterprise techniques that this catalog uses. Made by make_attack.py; don't edit.
# © 2025 The MITRE Corporation. This work is reproduced and distributed with the
# permission of The MITRE Corporation (https://attack.mitre.org/resources/terms-of-use/).
"""


def used():
    """Technique ids in the other files and the techniques above them, sorted."""
    files = [p for p in sorted(HERE.rglob("*.toml")) if p.name != "attack.toml"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r'technique = "(T\d{4}(?:\.\d{3})?)"', text))
    return sorted(named | {technique.split(".")[0] for technique in named})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    attack = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    quoted = lambda text: json.dumps(text, ensure_ascii=False)
    many = lambda texts: "[" + ", ".join(map(quoted, texts)) + "]"
    entries = [HEADER + f"\nversion = {quoted(attack['version'])}\n"]
    for technique in used():
        found = attack["techniques"].get(technique)
        if found is None or found["revoked"] or found["deprecated"]:
            sys.exit(f"{technique} is not a current technique of ATT&CK {attack['version']}")
        name = found["name"]
        tactics = [attack["tactics"][tactic] for tactic in found["tactics"]]
        entries.append(
            f"\n[[technique]]\nid = {quoted(technique)}\nname = {quoted(name)}\n"
            f"tactics = {many(t['name'] for t in tactics)}\n"
            f"tactic_ids = {many(t['id'] for t in tactics)}\n"
            f"platforms = {many(found['platforms'])}\n"
        )
    (HERE / "attack.toml").write_text("".join(entries), encoding="utf-8")


if __name__ == "__main__":
    main()
