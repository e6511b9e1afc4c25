"""The registry of hostile files: name -> function that returns its bytes.

manifest.txt says what must come of each; hostile_test.py compares.
"""

import importlib

MODULES = ("penult_header_cases", "penult_weight_cases", "penult_graph_cases",
           "penult_value_cases", "pickle_cases", "checkpoint_cases", "tensor_cases",
           "zip_cases", "safetensors_cases", "onnx_cases")
FILES = {}
MODULE_OF = {}


def case(suffix):
    """Registers a function under its own name: @case(".penult")."""
    def register(make):
        name = make.__name__ + suffix
        assert name not in FILES, name
        FILES[name] = make
        return make
    return register


def table(suffix, cases):
    """Registers many at once: name -> function."""
    for name, make in cases.items():
        assert name + suffix not in FILES, name
        FILES[name + suffix] = make


def all_files():
    for module in MODULES:
        importlib.import_module(module)
        for name in FILES:
            MODULE_OF.setdefault(name, module)
    return FILES
