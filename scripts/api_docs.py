#!/usr/bin/env python3
"""Writes the reference of the public headers as HTML, or checks that they document everything.

usage: api_docs.py FOLDER     writes FOLDER/html/index.html
       api_docs.py --check    prints what lacks a comment, as file:line, and exits with 1

The public headers are include/retia and whatever of ours these include. Doxygen reads a copy of them, in
which the meaning of a declared option stands behind its field too.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'\s*#\s*include\s*["<]retia/([^">]+)[">]')
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
# The field of an option, and its meaning: the literals that end the arguments.
OPTION = re.compile(r'\boption\(\s*"\w+",\s*\w+\.(\w+),(?:(?!\boption\().)*?((?:"(?:[^"\\]|\\.)*"\s*)+)\)',
                    re.DOTALL)
FIELD = re.compile(r"^  [\w:<>, ]+ (\w+)( = [^;]*)?;$")

CONFIGURATION = """
PROJECT_NAME           = Retia
STRIP_FROM_PATH        = {copy}
INPUT                  = {copy}
RECURSIVE              = YES
OUTPUT_DIRECTORY       = {out}
GENERATE_LATEX         = NO
GENERATE_HTML          = {html}
GENERATE_XML           = {xml}
HAVE_DOT               = NO
QUIET                  = YES
WARN_IF_UNDOCUMENTED   = YES
WARN_AS_ERROR          = {strict}
EXCLUDE_SYMBOLS        = declared operator== nlohmann
MACRO_EXPANSION        = YES
EXPAND_ONLY_PREDEF     = YES
PREDEFINED             = TORCH_MODULE(name)= \
                         NLOHMANN_JSON_SERIALIZE_ENUM(...)= \
                         NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(...)=
"""


def public_headers():
    """Returns the headers that users reach, relative to the root, in order."""
    found = set()
    waiting = [f"include/retia/{header.name}" for header in (ROOT / "include/retia").glob("*.h")]
    while waiting:
        header = waiting.pop()
        if header in found:
            continue
        found.add(header)
        for line in (ROOT / header).read_text(encoding="utf-8").splitlines():
            included = INCLUDE.match(line)
            if included:
                ours = included[1]
                waiting.append(ours if (ROOT / ours).exists() else f"include/retia/{ours}")
    return sorted(found)


def with_meanings(text):
    """Returns a header's text with the meaning of each declared option behind its field."""
    meanings = {field: "".join(TEXT.findall(rest)) for field, rest in OPTION.findall(text)}

    def commented(line):
        field = FIELD.match(line)
        meaning = field and meanings.get(field[1])
        return f"{line}  ///< {meaning}" if meaning else line

    return "\n".join(commented(line) for line in text.split("\n"))


def run_doxygen(out, check):
    with tempfile.TemporaryDirectory() as copy:
        for header in public_headers():
            target = pathlib.Path(copy, header)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(with_meanings((ROOT / header).read_text(encoding="utf-8")), encoding="utf-8")
        configuration = CONFIGURATION.format(
            copy=copy, out=out, html="NO" if check else "YES", xml="YES" if check else "NO",
            strict="FAIL_ON_WARNINGS" if check else "NO")
        done = subprocess.run(["doxygen", "-"], input=configuration, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    print(done.stdout.replace(f"{copy}/", ""), end="")
    return 1 if done.returncode else 0


def main():
    if len(sys.argv) != 2 or (sys.argv[1].startswith("-") and sys.argv[1] != "--check"):
        print("usage: api_docs.py FOLDER | --check", file=sys.stderr)
        return 2
    if not shutil.which("doxygen"):
        print("api_docs.py: doxygen is not installed; on Debian: apt-get install doxygen", file=sys.stderr)
        return 2
    if sys.argv[1] == "--check":
        with tempfile.TemporaryDirectory() as scratch:
            return run_doxygen(scratch, check=True)
    pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    return run_doxygen(sys.argv[1], check=False)


if __name__ == "__main__":
    sys.exit(main())
