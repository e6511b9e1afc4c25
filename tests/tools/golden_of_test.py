#!/usr/bin/env python3
"""What tools/golden_of.py calls the values of a network. Needs neither PyTorch nor ONNX Runtime."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import golden_of  # noqa: E402


class Names(unittest.TestCase):
    def test_modules_stand_in_the_names_of_nodes(self):
        for path, module in {"/layer1/layer1.0/conv1/Conv": "layer1.0.conv1", "/conv1/Conv": "conv1", "Conv_0": "",
                             "/features/features.0/features.0.1/BatchNormalization": "features.0.1", "": "",
                             "/features/features.1/conv/conv.0/conv.0.2/Clip": "features.1.conv.0.2",
                             "/layer1/layer1.0/Add": "layer1.0"}.items():
            self.assertEqual(golden_of.scope_of(path), module)

    def test_what_a_module_computes_between_others_goes_by_its_operator(self):
        nodes = [("Conv", "/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"), ("Add", "/layer1/layer1.0/Add", "layer1.0"),
                 ("Add", "/layer1/layer1.0/Add_1", "layer1.0"), ("Relu", "/layer1/layer1.0/relu/Relu", "layer1.0.relu"),
                 ("Flatten", "/Flatten", ""), ("Gemm", "/fc/Gemm", "fc"), ("Add", "", "layer1.0")]
        self.assertEqual(golden_of.module_names(nodes, False),
                         ["layer1.0.conv1", "layer1.0.add", "layer1.0.add_1", "layer1.0.relu", None, "fc",
                          "layer1.0.add"])
        self.assertEqual(golden_of.module_names(nodes, True)[0], None)

    def test_the_first_name_that_the_model_knows_is_taken_unless_it_is_shared(self):
        tensors = {"a": ["a", "/x/A", "x"], "b": ["b", "y"], "c": ["c", "y"], "d": ["d"]}
        self.assertEqual(golden_of.choose_names(tensors, {"x", "y", "c"}), {"a": "x", "c": "c"})
        self.assertEqual(golden_of.choose_names(tensors, None), {name: name for name in "abcd"})


if __name__ == "__main__":
    unittest.main()
