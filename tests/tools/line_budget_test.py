#!/usr/bin/env python3
"""tools/line_budget.py: files and functions just within and just over the limits."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import line_budget  # noqa: E402


def check(path, text):
    return list(line_budget.check_file(Path(path), text))


def function(head, lines, indent=""):
    """A function whose body, braces' lines included, has `lines` lines."""
    body = f"{indent}  if (x) {{ y(); }}\n" * (lines - 2)
    return f"{indent}{head} {{\n{body}{indent}}}\n"


class Files(unittest.TestCase):
    def test_accepts_400_lines_and_refuses_401(self):
        self.assertEqual(check("engine/a.cpp", "x;\n" * 400), [])
        self.assertEqual(check("engine/a.cpp", "x;\n" * 401),
                         ["engine/a.cpp:1: 401 lines, at most 400"])

    def test_accepts_600_lines_with_a_reason_near_the_top_only(self):
        reason = "// Longer than 400 lines because the table is one.\n"
        self.assertEqual(check("engine/a.cpp", reason + "x;\n" * 599), [])
        self.assertEqual(len(check("engine/a.cpp", reason + "x;\n" * 600)), 1)
        self.assertEqual(len(check("engine/a.cpp", "x;\n" * 500 + reason)), 1)
        self.assertEqual(len(check("engine/a.cpp", reason[:32] + "\n" + "x;\n" * 500)), 1)

    def test_holds_public_headers_to_150_lines(self):
        self.assertEqual(check("engine/include/penult/a.h", "\n" * 150), [])
        self.assertEqual(len(check("engine/include/penult/a.h", "\n" * 151)), 1)


class Functions(unittest.TestCase):
    def assert_limit(self, path, head, limit, before="", after="", name=None):
        self.assertEqual(check(path, before + function(head, limit) + after), [])
        problems = check(path, before + function(head, limit + 1) + after)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(f"{limit + 1} lines, at most {limit}", problems[0])
        if name:
            self.assertIn(f" {name}() ", problems[0])

    def test_accepts_50_lines_and_refuses_51(self):
        self.assert_limit("engine/a.cpp", "int f(int x)", 50, name="f")

    def test_gives_micro_kernels_120_lines(self):
        self.assert_limit("kernels/a.inl.h", "template <class V> void f(V x)", 120, name="f")

    def test_sees_functions_in_namespaces_and_classes(self):
        self.assert_limit("engine/a.cpp", "Status Model::load() const", 50,
                          "namespace a {\n", "}\n", name="Model::load")
        self.assert_limit("engine/a.h", "  void f() override", 50, "class A : public B {\n", "};\n")
        self.assert_limit("engine/a.cpp", "TEST(Suite, Case)", 50)

    def test_sees_operators_defaults_and_constructors(self):
        self.assert_limit("engine/a.cpp", "bool operator==(A a, B b)", 50)
        self.assert_limit("engine/a.cpp", "template <int N = 3, class T = int> void f(T t = {})", 50)
        self.assert_limit("engine/a.cpp", "A::A(int x) : a_(x), b_{x}", 50)
        self.assert_limit("engine/a.cpp", "struct A make(int x)", 50)

    def test_takes_neither_tables_nor_classes_for_functions(self):
        rows = "  {f(1), 2},\n" * 60
        self.assertEqual(check("kernels/a.cpp", f"const Row kRows[] = {{\n{rows}}};\n"), [])
        self.assertEqual(check("engine/a.h", "struct A {\n" + "  int f();\n" * 60 + "};\n"), [])
        self.assertEqual(check("engine/a.h", "enum class A {\n" + "  kB,\n" * 60 + "};\n"), [])

    def test_is_not_confused_by_braces_in_text(self):
        trap = "  // {\n  /* { */\n  s = \"{\\\"{\"; c = '{'; r = R\"({)\"; n = 1'000'000;\n"
        text = "int f() {\n" + trap * 3 + "}\n"
        self.assertEqual(check("engine/a.cpp", text + function("int g()", 50)), [])
        self.assertEqual(len(check("engine/a.cpp", text + function("int g()", 51))), 1)

    def test_measures_python_functions(self):
        self.assertEqual(check("tools/a.py", "def f():\n" + "    x = 1\n" * 49), [])
        self.assertEqual(check("tools/a.py", "def f():\n" + "    x = 1\n" * 50),
                         ["tools/a.py:1: f() has 51 lines, at most 50"])


if __name__ == "__main__":
    unittest.main()
