#!/usr/bin/env python3
"""Checks the rule of layers: which folder may include which.

    tools/check_layers.py [ROOT]

Prints FILE:LINE: and the rule broken for each offending #include; exit 1 if there are any.
The rule itself is the three tables below; docs/architecture.md explains it.
"""

import re
import sys
from pathlib import Path

# Folder (or file) -> room. The longest prefix wins. Files below none of these are errors.
ROOMS = {
    "engine/include/penult/": "public",
    "engine/include/penult/status.h": "base",  # kernels see it through engine/base
    "engine/include/penult/version.h": "base",
    "engine/include/penult/model.h": "facade",  # these two speak of networks
    "engine/include/penult/extractor.h": "facade",
    "engine/base/": "base",
    "engine/graph/": "graph",
    "engine/ops/": "ops",
    "engine/passes/": "passes",
    "engine/model/": "model",
    "engine/plan/": "plan",
    "engine/exec/": "exec",
    "engine/image/": "image",
    "engine/output/": "output",
    "engine/pipeline/": "pipeline",
    "engine/python/": "python",
    "engine/": "facade",  # extractor.cpp, model.cpp
    "kernels/": "kernels",
    "converters/": "converters",
    "tools/": "tools",
    "tests/": "tests",
    "bench/": "bench",
    "bench/shapes/": "shapes",
}

ENGINE = {"base", "public", "facade", "graph", "ops", "passes", "model", "plan", "exec"}
EVERYTHING = ENGINE | {"image", "output", "pipeline", "kernels", "converters"}

# Room -> (rooms that it may include besides itself, the rule in words).
RULES = {
    "public": ({"base"}, "public headers include public headers and the standard library only"),
    "base": (set(), "engine/base knows nothing but itself"),
    "graph": ({"base", "public", "ops", "passes"},
              "engine/graph knows engine/{base,ops,passes}: no files, no plan, no kernels"),
    "ops": ({"base", "public", "graph"}, "engine/ops knows engine/{base,graph}, no kernels"),
    "passes": ({"base", "public", "graph", "ops"},
               "engine/passes knows engine/{base,graph,ops}, no kernels"),
    "model": ({"base", "public", "facade", "graph", "ops", "passes"},
              "engine/model knows engine/{base,graph,ops,passes}, no kernels"),
    "plan": (ENGINE | {"kernels"}, "engine/plan knows the graph and the kernels, no images"),
    "exec": (ENGINE | {"kernels"}, "engine/exec knows the graph and the kernels, no images"),
    "image": ({"base", "public", "kernels"}, "engine/image knows no graph"),
    "output": ({"base", "public"}, "engine/output knows no graph and no kernels"),
    "pipeline": ({"base", "public", "facade", "image"},
                 "engine/pipeline joins images and extractors: no files written, no kernels"),
    "facade": (ENGINE | {"image", "output"}, "the facade uses the engine; kernels are the plan's"),
    "python": (ENGINE | {"image", "output", "pipeline"}, "the module uses the engine; kernels are the plan's"),
    "kernels": ({"base"}, "kernels know buffers, no graph: of the engine only engine/base"),
    "converters": ({"base", "public", "facade", "graph", "ops", "model"},
                   "converters use engine/{base,graph,ops,model} and public headers only"),
    "tools": (EVERYTHING, "tools may use all but tests and bench"),
    "shapes": ({"base", "public", "graph", "ops", "kernels"},
               "bench/shapes knows operators and kernels: tests and benchmarks share it"),
    "tests": (EVERYTHING | {"tools", "shapes"}, "tests may use all but bench; its shapes they share"),
    "bench": (EVERYTHING | {"shapes"}, "benchmarks may use all but tests and tools"),
}

# Public headers are what users compile against: stricter than the .cpp of the same room.
PUBLIC_HEADERS = "engine/include/penult/"

# Headers of others: pattern -> (rooms that may include them, the rule in words).
FOREIGN = [
    (r".*intrin\.h", {"kernels"}, "only kernels/ includes intrinsics"),
    (r"cpuid\.h", {"base"}, "only engine/base asks the processor what it can"),
    (r"(oneapi/dnnl/|dnnl).*", {"kernels"}, "only kernels/ includes oneDNN"),
    (r"(cuda|cudnn|cublas|nvrtc).*", {"kernels"}, "only kernels/ includes CUDA"),
    (r"flatbuffers/.*|.*_generated\.h", {"model", "tests"},
     "only engine/model knows the file's encoding"),
    (r"(turbojpeg|jpeglib|jerror|spng|png)\.h|webp/.*", {"image", "tests"},
     "only engine/image decodes images"),
    (r"zip\.h", {"converters", "output", "tests"},
     "only converters/ and engine/output read or write zip"),
    (r"google/protobuf/.*|.*\.pb\.h", {"converters", "tests"}, "only converters/ read protobuf"),
    (r"curl/.*", {"tools", "tests"}, "only tools/ download"),
    (r"CLI/.*", {"tools", "tests"}, "only tools/ parse a command line"),
    (r"nlohmann/.*", {"output", "converters", "tools", "tests"}, "JSON is for outputs and tools"),
    (r"fmt/.*", {"base", "output", "converters", "tools", "tests"},
     "text is formatted outside the core"),
    (r"(gtest|gmock)/.*", {"tests"}, "only tests/ include GoogleTest"),
    (r"benchmark/.*", {"bench"}, "only bench/ includes Google Benchmark"),
]
# Files compiled for one ISA must not pull in code that the linker could pick for the baseline.
ISA_FILE = re.compile(r"^kernels/(.*_(portable16|avx2|avx512\w*|amx)\.cpp|simd/vec_(portable16|avx2|avx512\w*)\.h)$")
ISA_HEADERS = {"immintrin.h", "cstdint", "cstddef"}

SOURCE_SUFFIXES = (".h", ".cpp", ".cu", ".cuh", ".inc")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<(?P<angle>[^>]+)>|"(?P<quote>[^"]+)"|(?P<macro>\S+))')


def room_of(path):
    """Room of a path relative to the root, or None."""
    best = max((p for p in ROOMS if path == p or (p.endswith("/") and path.startswith(p))),
               key=len, default=None)
    return ROOMS[best] if best else None


def includes(text):
    """Yields (line number, angle, quote, macro) of each #include outside comments."""
    blank = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    for number, line in enumerate(blank.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match["angle"], match["quote"], match["macro"]


def resolve(root, path, name):
    """Path of an included file of this project, relative to root, or None."""
    for base in (Path(path).parent, Path("."), Path("engine/include")):
        candidate = (root / base / name).resolve()
        if candidate.is_file() and candidate.is_relative_to(root):
            return candidate.relative_to(root).as_posix()
    return None


def check_own(path, target):
    """Rule broken when `path` includes the project's `target`, or None."""
    room, target_room = room_of(path), room_of(target)
    if target_room is None:
        return f"{target} belongs to no layer"
    if path.startswith(PUBLIC_HEADERS):
        ok = target.startswith(PUBLIC_HEADERS)
        return None if ok else RULES["public"][1]
    allowed, rule = RULES[room]
    if target_room != room and target_room not in allowed:
        return rule
    if ISA_FILE.match(path) and target_room != "kernels":
        return "a file compiled for one ISA includes headers of kernels/ only"
    return None


def check_foreign(path, header):
    """Rule broken when `path` includes another project's or a system header, or None."""
    room = room_of(path)
    if path.startswith(PUBLIC_HEADERS) and not re.fullmatch(r"[a-z_0-9]+|std\w+\.h", header):
        return RULES["public"][1]
    if ISA_FILE.match(path) and header not in ISA_HEADERS:
        return f"a file compiled for one ISA includes only {', '.join(sorted(ISA_HEADERS))}"
    for pattern, rooms, rule in FOREIGN:
        if re.fullmatch(pattern, header):
            return None if room in rooms else rule
    return None


def check_file(root, path):
    """Yields 'FILE:LINE: message' for one source file, path relative to root."""
    if room_of(path) is None:
        yield f"{path}:1: belongs to no layer; add its folder to ROOMS in tools/check_layers.py"
        return
    text = (root / path).read_text(encoding="utf-8")
    for number, angle, quote, macro in includes(text):
        if macro:
            yield f"{path}:{number}: #include {macro}: name the file, a macro hides it"
            continue
        name = angle or quote
        target = resolve(root, path, name) if quote else None
        if quote and target is None and not any(re.fullmatch(p, name) for p, _, _ in FOREIGN):
            yield f'{path}:{number}: #include "{name}": no such file in this project'
            continue
        broken = check_own(path, target) if target else check_foreign(path, name)
        if broken:
            yield f"{path}:{number}: includes {name}: {broken}"


def check_tree(root):
    """All violations below root, in path order."""
    root = Path(root).resolve()
    problems = []
    for folder in sorted({prefix.split("/")[0] for prefix in ROOMS}):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in SOURCE_SUFFIXES and file.is_file():
                problems += check_file(root, file.relative_to(root).as_posix())
    return problems


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    problems = check_tree(root)
    for problem in problems:
        print(problem)
    print(f"layers: {len(problems)} violations" if problems else "layers: in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
