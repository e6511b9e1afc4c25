#!/usr/bin/env python3
"""Prints the lines of each folder and fails where a file or a function is too long.

    tools/line_budget.py [ROOT]

Limits: a file 400 lines; 600 if its first 40 lines say "Longer than 400 lines because ...".
A public header 150. A function 50 lines from its opening to its closing brace (120 in
*.inl.h, where micro-kernels live). Exit 1 if anything is over.
"""

import ast
import re
import sys
from pathlib import Path

FOLDERS = ("engine", "kernels", "converters", "tools", "tests", "bench", "third_party")
CPP_SUFFIXES = (".h", ".cpp", ".cu", ".cuh", ".inc")
OTHER_SUFFIXES = (".py", ".sh", ".cmake", ".fbs")

FILE_LIMIT = 400
EXCUSED_FILE_LIMIT = 600
EXCUSE = re.compile(r"Longer than 400 lines because \S")
EXCUSE_WITHIN_LINES = 40
PUBLIC_HEADER_LIMIT = 150
FUNCTION_LIMIT = 50
MICRO_KERNEL_LIMIT = 120

TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/                                  # comments
      |(?:u8|u|U|L)?R"(?P<delim>[^(\s]*)\(.*?\)(?P=delim)"  # raw strings
      |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'              # strings, characters
      |^[ \t]*\#(?:\\\n|[^\n])*                             # preprocessor lines""",
    re.S | re.X | re.M)


def blank(text):
    """The text with comments, strings and preprocessor lines emptied, line breaks kept."""
    # 1'000'000 is a number, not a character literal.
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", text)
    return TOKEN.sub(lambda match: "\n" * match.group().count("\n"), text)


def opens(head, scope):
    """Kind of the scope that a brace opens, from the text before it and the scope around it."""
    if scope in ("function", "block", "value"):
        return "block"
    # A default argument, or a member in a constructor's list: A(B b = {}) : c_{b} {
    if head.count("(") > head.count(")") or re.search(r"\)[\s\w]*:[^:].*[\w>]$", head, re.S):
        return "value"
    # Neither a default template argument nor operator== is an initialiser.
    head = re.sub(r"\btemplate\s*<[^(]*>|\boperator\s*[^\s\w(]+", "operator_", head)
    if re.search(r"\bnamespace\b", head) or re.search(r'\bextern\s*$', head):
        return "namespace"
    parameters = head.find("(")
    if re.search(r"\b(class|struct|union|enum)\b", head) and not re.search(r"\)\s*\S*\s*$", head):
        return "type"
    if parameters > 0 and "=" not in head[:parameters]:
        return "function"
    return "block"


def cpp_functions(text):
    """Yields (first line, last line, head) of each function body: brace matching, no parser."""
    line, head, scopes = 1, "", []
    for char in blank(text):
        if char == "\n":
            line += 1
        if char == "{":
            kind = opens(head.strip(), scopes[-1][0] if scopes else "namespace")
            scopes.append((kind, line, head.strip()))
            head = ""
        elif char == "}" and scopes:
            kind, first, what = scopes.pop()
            if kind == "function":
                yield first, line, what
            head = what + "()" if kind == "value" else ""
        elif char == ";":
            head = ""
        else:
            head += char


def function_name(head):
    match = re.search(r"([~\w:]+)\s*\(", head)
    return match.group(1) if match else "?"


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno, node.name + "("


def functions(path, text):
    if path.suffix in CPP_SUFFIXES:
        return cpp_functions(text)
    if path.suffix == ".py":
        return python_functions(text)
    return ()


def file_limit(path, text):
    if "include/penult" in path.as_posix():
        return PUBLIC_HEADER_LIMIT
    start = "\n".join(text.splitlines()[:EXCUSE_WITHIN_LINES])
    return EXCUSED_FILE_LIMIT if EXCUSE.search(start) else FILE_LIMIT


def check_file(path, text):
    """Yields a message for each limit that the file breaks."""
    lines = text.count("\n")
    limit = file_limit(path, text)
    if lines > limit:
        yield f"{path}:1: {lines} lines, at most {limit}"
    limit = MICRO_KERNEL_LIMIT if path.name.endswith(".inl.h") else FUNCTION_LIMIT
    for first, last, head in functions(path, text):
        length = last - first + 1
        if length > limit:
            yield f"{path}:{first}: {function_name(head)}() has {length} lines, at most {limit}"


def sources(root):
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            known = file.suffix in CPP_SUFFIXES + OTHER_SUFFIXES or file.name == "CMakeLists.txt"
            if known and file.is_file():
                yield file.relative_to(root)


def room(path):
    """Folder under which a file is counted: two levels, so that engine/ is seen by its rooms."""
    return "/".join(path.parts[:-1][:2])


def check_tree(root):
    """Returns ({folder: (files, lines)}, [messages])."""
    root = Path(root).resolve()
    table, problems = {}, []
    for path in sources(root):
        text = (root / path).read_text(encoding="utf-8")
        files, lines = table.get(room(path), (0, 0))
        table[room(path)] = (files + 1, lines + text.count("\n"))
        problems += check_file(path, text)
    return table, problems


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    table, problems = check_tree(root)
    print(f"{'folder':<24}{'files':>7}{'lines':>8}")
    for folder, (files, lines) in sorted(table.items()):
        print(f"{folder:<24}{files:>7}{lines:>8}")
    print(f"{'all':<24}{sum(f for f, _ in table.values()):>7}{sum(n for _, n in table.values()):>8}")
    for problem in problems:
        print(problem)
    print(f"line budget: {len(problems)} over" if problems else "line budget: kept")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
