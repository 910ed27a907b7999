#!/usr/bin/env python3
"""Runs scripts/gpu_check from beginning to end over a folder of fakes: a GPU, its tools, the programs."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

SMI = '''
if len(sys.argv) > 1:
    fields = {"name": "NVIDIA H100 80GB HBM3", "driver_version": "580.65.06", "memory.total": "81559 MiB"}
    print(", ".join(fields[field] for field in sys.argv[1].split("=")[1].split(",")))
else:
    print("| NVIDIA-SMI 580.65.06    Driver Version: 580.65.06    CUDA Version: 13.0 |")
'''
# FAIL names what is to fail; LOG takes what was called.
RETIA = '''
words = dict(zip(sys.argv[3::2], sys.argv[4::2]))
if sys.argv[2] in os.environ.get("FAIL", "").split(","):
    sys.exit("retia: no CUDA device was found")
if sys.argv[2] == "kernels":
    row = {"name": "mixed_op/paper", "ms": 1.0, "per_cent": 71.4}
    pathlib.Path(words["--out"]).write_text(json.dumps({"format": "retia.bench.kernels", "kernels": [row]}))
else:
    seconds = {"fp32": 0.06, "bf16": 0.03}[words.get("--precision", "fp32")]
    print(json.dumps({"params": 7, "cuda_peak_mib": 100.0, "seconds_per_step": {"median": seconds}}))
'''
PEER = '''
if "peer" in os.environ.get("FAIL", "").split(",") and "--compile" in sys.argv:
    sys.exit("Traceback\\nRuntimeError: out of memory")
print(json.dumps({"params": 7, "cuda_peak_mib": 900.0, "seconds_per_step": {"median": 0.6}}))
'''
TESTS = '''
report = sys.argv[1].split(":", 1)[1] if len(sys.argv) > 1 else None
failing = "tests" in os.environ.get("FAIL", "").split(",")
tests = [{"name": "Equals", "result": "COMPLETED", **({"failures": [{}]} if failing else {})},
         {"name": "Ranks", "result": "SKIPPED"}]
if "crash" in os.environ.get("FAIL", "").split(","):
    sys.exit("terminate called")
if report:
    pathlib.Path(report).write_text(json.dumps({"testsuites": [{"name": "Cuda", "testsuite": tests}]}))
sys.exit(failing)
'''
SANITIZER = '''
assert os.environ["PYTORCH_NO_CUDA_MEMORY_CACHING"] == "1"
tool = sys.argv[sys.argv.index("--tool") + 1]
if tool in os.environ.get("FAIL", "").split(","):
    print("========= ERROR SUMMARY: 3 errors")
    sys.exit(86)
'''
NCU = '''
out = open(sys.argv[sys.argv.index("--log-file") + 1], "w")
if "counters" in os.environ.get("FAIL", "").split(","):
    out.write("==ERROR== ERR_NVGPUCTRPERM - no permission\\n")
    sys.exit(1)
out.write("==PROF== Connected\\n")
columns = ["ID", "Kernel Name", "Metric Name", "Metric Unit", "Metric Value"]
rows = csv.writer(out, quoting=csv.QUOTE_ALL)
rows.writerow(columns)
if "--metrics" in sys.argv:
    for i, (name, time) in enumerate([("void retia::kernels::cuda::stencils<float>(int, float*)", "1,000"),
                                      ("void at::native::add(int)", "2,000"),
                                      ("void retia::kernels::cuda::sums<float>(int)", "900"),
                                      ("void retia::kernels::cuda::affine(int)", "50"),
                                      ("void retia::kernels::cuda::stencils<float>(int, float*)", "1,000"),
                                      ("void retia::kernels::cuda::pools(int)", "49")]):
        rows.writerow([i, name, "gpu__time_duration.sum", "ns", time])
else:
    name = sys.argv[sys.argv.index("--kernel-name") + 1]
    rows.writerow([0, name, "Memory Throughput", "%", "77"])
'''


class GpuCheck(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name, "retia")
        for path in ("scripts/gpu_check", "bench/search_step.py"):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, self.root / path)
        (self.root / ".venv/lib/python3.11/site-packages/torch/lib").mkdir(parents=True)
        (self.root / ".venv/bin").mkdir()
        (self.root / ".venv/bin/python").symlink_to(sys.executable)
        self.fake("retia/build/release/bin/retia", RETIA)
        for name in ("kernels_unit_cuda_tests", "engine_unit_cuda_tests"):
            self.fake(f"retia/build/release/bin/{name}", TESTS)
        for peer in ("torch_darts.py", "torch_spos.py", "torch_enas.py"):
            self.fake(f"peers/{peer}", PEER)
        for name, text in (("nvidia-smi", SMI), ("compute-sanitizer", SANITIZER), ("ncu", NCU)):
            self.fake(f"path/{name}", text)

    def fake(self, path, text):
        program = pathlib.Path(self.folder.name, path)
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!{sys.executable} -S\nimport csv, json, os, pathlib, sys\n" + textwrap.dedent(text))
        program.chmod(0o755)

    def check(self, *words, fail="", root=None):
        """Exit code, output, and the written gpu_check document."""
        root = root or self.root
        done = subprocess.run(
            [sys.executable, root / "scripts/gpu_check", *words], capture_output=True, text=True,
            env={"PATH": f"{self.folder.name}/path:/usr/bin:/bin", "FAIL": fail, "HOME": self.folder.name})
        written = root / "bench/results/gpu_check_nvidia_h100_80gb_hbm3.json"
        document = json.loads(written.read_text()) if written.exists() else None
        return done.returncode, done.stdout + done.stderr, document

    def states(self, document):
        return {part["name"]: part["state"] for part in document["parts"]}

    def peers(self):
        return ["--peers", f"{self.folder.name}/peers"]

    def test_runs_every_part_and_writes_what_was_measured(self):
        code, output, document = self.check(*self.peers())
        self.assertEqual(code, 0, output)
        self.assertEqual(set(self.states(document).values()), {"passed"}, output)
        self.assertEqual(document["machine"], {"gpu": "NVIDIA H100 80GB HBM3", "driver": "580.65.06",
                                               "memory": "81559 MiB", "cuda": "13.0"})
        # 50 epochs of 391 steps.
        self.assertAlmostEqual(document["search"]["minutes"]["bf16"]["retia"], 50 * 391 * 0.03 / 60)
        self.assertAlmostEqual(document["search"]["minutes"]["fp32"]["compiled"], 50 * 391 * 0.6 / 60)
        results = self.root / "bench/results"
        self.assertEqual({path.name for path in results.iterdir()}, {
            f"{kind}_nvidia_h100_80gb_hbm3{end}.json"
            for kind, end in (("gpu_check", ""), ("profile", ""), ("kernels", "_fp32"), ("kernels", "_bf16"),
                              ("search_step", "_fp32"), ("search_step", "_bf16"))})
        steps = json.loads((results / "search_step_nvidia_h100_80gb_hbm3_bf16.json").read_text())
        self.assertEqual(steps["machine"], "NVIDIA H100 80GB HBM3")
        paper = next(row for row in steps["cases"] if row["name"] == "darts paper")
        self.assertEqual(paper["torch"]["compiled"]["ratio"], 20)
        self.assertEqual(paper["retia"]["cuda_peak_mib"], 100)

    def test_profiles_the_three_of_its_own_kernels_that_take_longest(self):
        self.check("--only", "profile")
        profile = json.loads(
            (self.root / "bench/results/profile_nvidia_h100_80gb_hbm3.json").read_text())
        self.assertEqual([of["measured"]["Memory Throughput"] for of in profile["kernels"]], ["77 %"] * 3)
        self.assertEqual([of["kernel"].split("::")[-1].split("(")[0] for of in profile["kernels"]],
                         ["stencils<float>", "sums<float>", "affine"])
        self.assertAlmostEqual(profile["kernels"][0]["share"], 2000 / 4999)

    def said(self, document, part):
        return next(of["said"] for of in document["parts"] if of["name"] == part)

    def test_parts_that_fail_stop_no_other(self):
        code, output, document = self.check(fail="tests,racecheck,kernels")
        self.assertEqual(code, 1, output)
        self.assertEqual({name for name, state in self.states(document).items() if state == "failed"},
                         {"tests", "racecheck", "kernels fp32", "kernels bf16"}, output)
        self.assertEqual(self.said(document, "tests"), "2 failed: Cuda.Equals, Cuda.Equals")
        self.assertIn("3 errors", self.said(document, "racecheck"))
        self.assertIn("no CUDA device", self.said(document, "kernels bf16"))
        self.assertIn("6 passed, 0 skipped, 4 failed", output)

    def test_a_program_that_crashes_or_sees_no_gpu_fails(self):
        code, output, document = self.check("--only", "tests", "opens", fail="crash,search-step")
        self.assertEqual((code, self.states(document)), (1, {"opens": "failed", "tests": "failed"}), output)
        self.assertIn("terminate called", self.said(document, "tests"))

    def test_a_peer_that_fails_leaves_the_other_figures(self):
        code, output, document = self.check("--only", "steps fp32", *self.peers(), fail="peer")
        self.assertEqual((code, self.states(document)), (1, {"steps fp32": "failed"}), output)
        self.assertIn("out of memory", self.said(document, "steps fp32"))
        self.assertEqual(set(document["search"]["minutes"]["fp32"]),
                         {"retia", "plain", "channels_last, alpha only"}, output)

    def test_leaves_out_what_the_machine_lacks_and_says_so(self):
        for name in ("compute-sanitizer", "ncu"):
            pathlib.Path(self.folder.name, "path", name).unlink()
        code, output, document = self.check()
        self.assertEqual(code, 0, output)
        self.assertEqual({name for name, state in self.states(document).items() if state == "skipped"},
                         {"memcheck", "racecheck", "synccheck", "profile"}, output)
        self.assertIn("compute-sanitizer is not installed", output)
        self.assertIn("6 passed, 4 skipped, 0 failed", output)

    def test_counters_that_may_not_be_read_are_no_failure(self):
        code, output, document = self.check(fail="counters")
        self.assertEqual((code, self.states(document)["profile"]), (0, "skipped"), output)

    def test_says_in_one_line_what_is_missing_to_start(self):
        (self.root / "build/release/bin/retia").rename(self.root / "elsewhere")
        code, output, _ = self.check()
        self.assertEqual(code, 2, output)
        self.assertIn("build it", output)
        (self.root / "elsewhere").rename(self.root / "build/release/bin/retia")
        pathlib.Path(self.folder.name, "path/nvidia-smi").unlink()
        code, output, document = self.check()
        self.assertEqual((code, output.count("\n"), document), (1, 1, None), output)
        self.assertIn("no GPU here", output)

    def test_a_machine_without_its_tests_does_not_pass(self):
        for program in (self.root / "build/release/bin").glob("*_tests"):
            program.unlink()
        code, output, document = self.check()
        self.assertEqual((code, self.states(document)["tests"]), (1, "failed"), output)

    def test_checks_on_another_machine_and_brings_the_results_back(self):
        # Its own home, with the libraries but without the built folder.
        away = pathlib.Path(self.folder.name, "away")
        shutil.copytree(self.root / ".venv", away / "retia/.venv", symlinks=True)
        self.fake("path/ssh", f'''
            assert sys.argv[1] == "me@gpu", sys.argv
            os.chdir({str(away)!r})
            os.execvp("bash", ["bash", "-c", sys.argv[2]])
        ''')
        code, output, document = self.check(
            "--host", "me@gpu", "--only", "synccheck", "steps bf16", "kernels fp32", *self.peers(),
            fail="synccheck")
        self.assertEqual(code, 1, output)
        self.assertEqual(self.states(document)["synccheck"], "failed", output)
        self.assertEqual(self.states(document)["steps bf16"], "passed", output)
        self.assertTrue((away / "retia/build/release/bin/retia").exists())
        self.assertTrue((self.root / "bench/results/kernels_nvidia_h100_80gb_hbm3_fp32.json").exists())


if __name__ == "__main__":
    unittest.main()
