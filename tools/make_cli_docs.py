#!/usr/bin/env python3
"""Writes what is known of the command line from what the program says of itself.

    tools/make_cli_docs.py PROGRAM            writes docs/cli.md, docs/man/penult.1, tools/completion/penult.bash
    tools/make_cli_docs.py PROGRAM --check    exit 1 if one of them is not what it would write

PROGRAM is a built penult, such as build/release/tools/penult/penult. Standard library only.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WRITTEN_BY = "Written by tools/make_cli_docs.py from the program's own help; do not edit."

INTRODUCTION = """\
# The command line
<!-- {written_by} -->

`penult --help` and `penult COMMAND --help` say the same. There is a man page, `docs/man/penult.1`
(`man -l docs/man/penult.1`), and a completion for bash, `tools/completion/penult.bash`, to be sourced.

{commands}

## Exit codes
| code | means |
|---|---|
| 0 | all well |
| 1 | finished, but more inputs failed than allowed, or a check failed |
| 2 | wrong usage: an option, or a name of a tap or backend, that does not exist; OUT exists and there is no `--force` |
| 3 | refused: no usable input, an invalid model, a device that is not there, a size above a limit |
| 4 | a file cannot be read or written, or there is no space left |
| 5 | a bug in penult, or no memory |
| 129, 130, 143 | stopped by SIGHUP, SIGINT, SIGTERM; nothing was written |
| 141 | whoever read the output left before its end (`penult fetch --list \\| head`), and nothing is said; files are written all the same |

An error is one line on stderr: what, where, what was expected, what was got. Names of files are escaped in it.
"""


def options_table(options):
    lines = ["| option | what it does |", "|---|---|"]
    for option in options:
        lines.append(f"| {markdown_names(option)} | {cell(option['text'])} |")
    return "\n".join(lines)


def cell(text):
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def markdown_names(option):
    value = option["value"].replace("|", "\\|")
    names = ", ".join(f"`{name}`" for name in option["names"])
    required = " (required)" if option["required"] else ""
    return names + (f" `{value}`" if value and not option["positional"] else "") + required


def usage(command):
    positional = [o["names"][0] + ("..." if o["several"] else "") for o in command["options"]
                  if o["positional"]]
    required = [f"{o['names'][0]} {o['value']}" for o in command["options"]
                if o["required"] and not o["positional"]]
    return " ".join(["penult", command["name"], *positional, *required, "[OPTIONS]"])


def by_group(options):
    groups = {}
    for option in options:
        groups.setdefault(option["group"], []).append(option)
    return groups


def split_examples(examples):
    """(indented command lines, the text below them)"""
    lines = examples.splitlines()
    return ([line.strip() for line in lines if line.startswith("  ")],
            " ".join(line for line in lines if not line.startswith("  ")))


def markdown(description):
    parts = []
    for command in description["commands"]:
        examples, text = split_examples(command["examples"])
        parts.append(f"## penult {command['name']}\n{command['summary']}.\n\n```\n{usage(command)}\n```")
        for group, options in by_group(command["options"]).items():
            title = "" if group in ("", "Options") else f"**{group}**\n\n"
            parts.append(title + options_table(options))
        parts.append("Examples:\n```sh\n" + "\n".join(examples) + "\n```" + (f"\n{text}" if text else ""))
    return INTRODUCTION.format(written_by=WRITTEN_BY, commands="\n\n".join(parts))


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def man_option(option):
    value = option["value"] if not option["positional"] else ""
    names = ", ".join(f"\\fB{roff(name)}\\fR" for name in option["names"])
    return (f".TP\n{names}" + (f" \\fI{roff(value)}\\fR" if value else "")
            + f"\n{roff(' '.join(option['text'].split()))}")


def man_page(description):
    lines = [f'.\\" {WRITTEN_BY}',
             f'.TH PENULT 1 "" "penult {description["version"]}" "User Commands"',
             ".SH NAME", f"penult \\- {roff(description['summary'].lower().rstrip('.'))}",
             ".SH SYNOPSIS"]
    for command in description["commands"]:
        lines += [f".B {roff(usage(command))}", ".br"]
    lines.append(".SH COMMANDS")
    for command in description["commands"]:
        lines += [f".SS penult {command['name']}", roff(command["summary"]) + "."]
        lines += [man_option(option) for option in command["options"]]
        examples, text = split_examples(command["examples"])
        lines += [".PP", "Examples:", ".nf", *(".RS\n" + roff(e) + "\n.RE" for e in examples), ".fi"]
        lines += [".PP", roff(text)] if text else []
    lines += [".SH EXIT STATUS", ".nf",
              roff(description["footer"].split("Exit codes: ")[1].replace("\n            ", "\n")), ".fi"]
    return "\n".join(lines) + "\n"


COMPLETION = """\
# Completion of penult for bash: source this file. {written_by}
_penult() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "{commands} --help --version" -- "$word")
    return
  fi
  case "$command $before" in
{values}
  esac
  if [[ $word == -* ]]; then
    case $command in
{options}
    esac
  fi
}}
complete -o default -F _penult penult
"""


def completion(description):
    values, options = [], []
    for command in description["commands"]:
        names = [name for option in command["options"] for name in option["names"]
                 if not option["positional"]]
        options.append(f'      {command["name"]}) mapfile -t COMPREPLY < <(compgen -W '
                       f'"{" ".join(names)}" -- "$word") ;;')
        for option in command["options"]:
            if "|" not in option["value"]:
                continue
            patterns = "|".join(f'"{command["name"]} {name}"' for name in option["names"])
            values.append(f'    {patterns}) mapfile -t COMPREPLY < <(compgen -W '
                          f'"{option["value"].replace("|", " ")}" -- "$word"); return ;;')
    return COMPLETION.format(written_by=WRITTEN_BY, values="\n".join(values), options="\n".join(options),
                             commands=" ".join(c["name"] for c in description["commands"]))


WRITERS = {"docs/cli.md": markdown, "docs/man/penult.1": man_page,
           "tools/completion/penult.bash": completion}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    result = subprocess.run([arguments.program, "--describe"], check=True, capture_output=True, text=True)
    description = json.loads(result.stdout)
    stale = []
    for name, write in WRITERS.items():
        path, text = ROOT / name, write(description)
        if arguments.check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name} is not what the program says: run tools/make_cli_docs.py PROGRAM")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
