#!/usr/bin/env python3
"""Help, version and wrong usage of the program: what can be said without a model."""

import support

COMMANDS = ("convert", "fetch", "inspect", "extract", "truncate", "verify", "bench", "doctor")


class Help(support.ProgramTest):
    def test_lists_every_command(self):
        text = self.penult("--help").stdout
        for command in COMMANDS:
            self.assertRegex(text, rf"\n  {command} +\w")

    def test_of_each_command_has_examples_and_exit_codes_in_100_columns(self):
        for command in COMMANDS:
            text = self.penult(command, "--help").stdout
            self.assertIn(f"\nExamples:\n  penult {command}", text)
            self.assertIn("\nExit codes: ", text)
            self.assertLessEqual(max(map(len, text.splitlines())), 100, command)

    def test_version_is_one_line(self):
        self.assertRegex(self.penult("--version").stdout, r"\Apenult \d+\.\d+\.\d+\n\Z")


class WrongUsage(support.ProgramTest):
    def assert_usage(self, *arguments, says):
        result = self.penult(*arguments, code=2)
        self.assertEqual(result.stdout, "")
        self.assertIn(says, result.stderr)

    def test_a_missing_or_unknown_command_names_those_that_exist(self):
        self.assert_usage(says="expected one of convert, fetch, inspect, extract, truncate, "
                               "verify, bench, doctor")
        self.assert_usage("frobnicate", says='no command "frobnicate", expected one of convert')
        self.assert_usage("new\nline", says='no command "new\\x0aline"')

    def test_an_unknown_flag_is_named_and_never_ignored(self):
        self.assert_usage("--frob", says='no command "--frob"')
        for command in COMMANDS:
            self.assert_usage(command, "--frob", "x", says="")
        self.assert_usage("doctor", "--frob", says="--frob; see penult doctor --help")
        # Of the contract, and not implemented yet.
        for option, value in (("--tune", "t.json"),):
            self.assert_usage("extract", "a.jpg", "-m", "m", "-o", "x.npz", option, value,
                              says=option)

    def test_missing_arguments_are_named(self):
        self.assert_usage("inspect", says="MODEL is required")
        self.assert_usage("convert", says="SRC is required")
        self.assert_usage("extract", "-m", "m", "-o", "x.npz", says="INPUT is required")
        self.assert_usage("extract", "a.jpg", "-o", "x.npz", says="--model is required")
        self.assert_usage("extract", "a.jpg", "-m", "m", says="--output is required")

    def test_values_outside_the_choice_are_refused(self):
        for option, value in (("-b", "abc"), ("-j", "0"), ("-j", "1025"), ("-b", "0"),
                              ("-b", "99999999"), ("-b", "-1"), ("--on-error", "ignore"),
                              ("--exif", "maybe"), ("--max-failure-rate", "1.5"),
                              ("--max-failure-rate", "nan"), ("--pool", "mean"), ("--pool", ""),
                              ("--device", "tpu"), ("--device", ""), ("--precision", "f16"),
                              ("--precision", "f64"), ("--numerics", "fast"), ("--dtype", "f64"),
                              ("--dtype", "F16")):
            self.assert_usage("extract", "a.jpg", "-m", "m", "-o", "x.npz", option, value, says="")

    def test_an_empty_text_is_not_an_option_left_out(self):
        for option in ("--arch", "--backend"):
            self.assert_usage("verify", "m", "--against", "x", option, "",
                              says=f"{option}: got an empty text, expected ")
        self.assert_usage("verify", "m", "--against", "", says="--against: got an empty text")
        self.assert_usage("extract", "a.jpg", "-m", "m", "-o", "x.npz", "--backend", "",
                          says="--backend: got an empty text, expected one of auto, native")

    def test_a_device_that_there_is_not_is_refused(self):
        for device in ("tpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "emulated:1", "emulated:",
                       "emulated:00", ""):
            self.assert_usage("extract", "a.jpg", "-m", "m", "-o", "x.npz", "--device", device,
                              says="expected cpu, cuda, cuda:N or emulated")

    def test_a_backend_of_another_device_is_refused(self):
        for device, backend in (("cpu", "cudnn"), ("cuda", "onednn"), ("emulated", "reference")):
            self.assert_usage("extract", "a.jpg", "-m", "m", "-o", "x.npz", "--device", device,
                              "--backend", backend, says="does not run on the device " + device)

    def test_an_output_of_unknown_format_is_refused(self):
        for name in ("x.tsv", "x", "x.npz/", ".", "x.NPZ"):
            self.assert_usage("extract", "a.jpg", "-m", "m", "-o", name,
                              says="expected a name in .npz, .npy or .csv")

    def test_a_format_that_cannot_hold_what_is_asked_for_is_refused(self):
        self.assert_usage("extract", "a.jpg", "-m", "m", "-o", "x.csv", "--dtype", "f16",
                          says="a .csv file holds f32")

    def test_a_wrong_isa_level_is_refused(self):
        self.assertIn("expected one of scalar, avx2",
                      self.penult("doctor", env={"PENULT_ISA_MAX": "sse9"}, code=2).stderr)


class Doctor(support.ProgramTest):
    def test_says_what_there_is_and_what_not(self):
        text = self.penult("doctor").stdout
        for line in (r"isa +scalar +yes", r"backend +native +yes", r"backend +onednn +(yes: oneDNN|no: )",
                     r"device +cpu +yes", r"device +cuda +no: ", r"threads +\d+ ",
                     r"images +JPEG, PNG, WebP, BMP, PPM$"):
            self.assertRegex(text, rf"(?m)^{line}")
        self.assertRegex(self.penult("doctor", env={"PENULT_ISA_MAX": "scalar"}).stdout,
                         r"isa +scalar +yes, in use\n")

    def test_says_which_variable_names_a_file_that_is_no_module(self):
        for variable, line, module in (("PENULT_ONEDNN_MODULE", "backend +onednn", "penult_onednn.so"),
                                       ("PENULT_CUDA_MODULE", "device +cuda", "penult_cuda.so"),
                                       ("PENULT_EMULATED_MODULE", "device +emulated", "penult_emulated.so")):
            for path in ("gone.so", "/gone.so", "/"):
                text = self.penult("doctor", env={variable: path}).stdout
                advice = f"; unset {variable}, or set it to the {module} of this build"
                self.assertRegex(text, rf"(?m)^{line} +no: .*{path}.*{advice}$")


if __name__ == "__main__":
    support.main(needs_assets=False)
