#!/usr/bin/env python3
"""penult truncate."""

import support


class Truncate(support.ModelTest):
    def test_writes_a_smaller_file_with_the_same_features(self):
        self.png("a.png")
        whole = self.extracted("a.png", "-l", "features.7", "-l", "features.3.conv.1")
        said = self.penult("truncate", self.model, "-l", "features.7", "-o", "small.penult").stdout
        small = self.folder / "small.penult"
        self.assertLess(small.stat().st_size, self.model.stat().st_size / 5)
        size = small.stat().st_size
        self.assertRegex(said, rf"\Asmall.penult: \d+ of 150 taps, {size} of \d+ bytes\n")
        self.penult("extract", "a.png", "-m", small, "-o", "x.npz", "--force", "-l", "features.7",
                    "-l", "features.3.conv.1")
        part = support.read_npz(self.folder / "x.npz")
        for tap in ("features.7", "features.3.conv.1"):
            self.assertEqual(part[tap], whole[tap])
        self.penult("extract", "a.png", "-m", small, "-o", "y.npz", "-l", "features.8", code=2)

    def test_the_default_tap_is_gone_with_its_layer(self):
        self.png("a.png")
        self.penult("truncate", self.model, "-l", "features.7", "-o", "small.penult")
        result = self.penult("extract", "a.png", "-m", "small.penult", "-o", "y.npz", code=2)
        self.assertIn("where no -l is given: it was cut", result.stderr)

    def test_refuses_to_replace_and_to_cut_nowhere(self):
        (self.folder / "there").write_text("x")
        self.penult("truncate", self.model, "-l", "features.7", "-o", "there", code=2)
        self.assertEqual((self.folder / "there").read_text(), "x")
        self.penult("truncate", self.model, "-l", "features.7", "-o", "there", "--force")
        self.penult("truncate", self.model, "-l", "no.such.tap", "-o", "new", code=2)
        self.penult("truncate", self.model, "-o", "new", code=2)
        self.penult("truncate", self.model, "-l", "features.7", "-o", self.model, "--force", code=2)
        self.penult("truncate", "missing.penult", "-l", "features.7", "-o", "new", code=4)
        self.assertEqual(self.files(), ["there"])


if __name__ == "__main__":
    support.main()
