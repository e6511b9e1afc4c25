#!/usr/bin/env python3
"""Runs commands in a terminal and draws what it shows as SVG: the picture in the README.

    tools/make_terminal_picture.py --program DIR --folder DIR --out docs/images/terminal.svg COMMAND...

Each COMMAND is a line for bash, run in `folder` with `program`'s folder in PATH. Its real output is drawn,
lines that were written over as they were at the end. Standard library only.
"""

import argparse
import html
import os
import pty
import re
import subprocess
import sys

COLUMNS, LINE_PX, CHAR_PX, MARGIN_PX, BAR_PX = 108, 18, 8.4, 16, 30
STYLE = """\
text { font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #d8dee9; white-space: pre; }
.prompt { fill: #8fbc72; font-weight: bold } .command { fill: #ffffff } .error { fill: #e07a7a }"""


def on_terminal(command, **options):
    """(exit code, bytes that a terminal is sent): both streams of the command, in the order in which they arrive."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, **options)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the last writer has gone
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    return process.wait(), shown


def run(command, folder, environment):
    """What a terminal shows after the command: lines, each without what was written over."""
    _, shown = on_terminal(["bash", "-c", command], cwd=folder, env=environment)
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", shown.decode("utf-8", "replace"))
    text = re.sub(r"\r+\n", "\n", text)
    return [line.split("\r")[-1].rstrip() for line in text.rstrip("\n").split("\n")] if text else []


def wrap(line):
    return [line[i:i + COLUMNS] for i in range(0, len(line), COLUMNS)] or [""]


def draw(screen):
    """screen: (class, text) of each line, commands as ("command", text)."""
    width = MARGIN_PX * 2 + COLUMNS * CHAR_PX
    height = BAR_PX + MARGIN_PX + len(screen) * LINE_PX
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
             f'viewBox="0 0 {width:.0f} {height}">',
             f"<style>{STYLE}</style>",
             f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#20242c"/>']
    for i, color in enumerate(("#e07a7a", "#e0c06a", "#8fbc72")):
        parts.append(f'<circle cx="{MARGIN_PX + 6 + 20 * i}" cy="16" r="5.5" fill="{color}"/>')
    for i, (kind, text) in enumerate(screen):
        y = BAR_PX + (i + 1) * LINE_PX - 4
        body = html.escape(text)
        if kind == "command":
            body = f'<tspan class="prompt">$ </tspan><tspan class="command">{body}</tspan>'
        style = ' class="error"' if kind == "error" else ""
        parts.append(f'<text x="{MARGIN_PX}" y="{y}"{style} xml:space="preserve">{body}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="folder of the program")
    parser.add_argument("--folder", required=True, help="where the commands run")
    parser.add_argument("--out", required=True)
    parser.add_argument("commands", nargs="+")
    arguments = parser.parse_args()
    path = os.path.abspath(arguments.program) + os.pathsep + os.environ["PATH"]
    environment = dict(os.environ, PATH=path, COLUMNS=str(COLUMNS), TERM="xterm")
    screen = []
    for command in arguments.commands:
        if screen:
            screen.append(("", ""))
        screen.append(("command", command))
        for line in run(command, arguments.folder, environment):
            kind = "error" if line.startswith("penult: ") else ""
            screen += [(kind, piece) for piece in wrap(line)]
    with open(arguments.out, "w", encoding="utf-8") as out:
        out.write(draw(screen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
