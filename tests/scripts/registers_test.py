#!/usr/bin/env python3
"""Reads with bench/registers.py what ptxas says of kernels, here and in the results that are kept."""
import importlib.util
import json
import pathlib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("registers", ROOT / "bench/registers.py")
registers = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(registers)

LOG = """
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z3onei' for 'sm_80'
ptxas info    : Function properties for _Z3onei
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 32 registers, used 0 barriers, 368 bytes cmem[0]
ptxas info    : Compiling entry function '_Z3twof' for 'sm_90'
ptxas info    : Function properties for _Z3twof
    64 bytes stack frame, 28 bytes spill stores, 36 bytes spill loads
ptxas info    : Used 100 registers, used 1 barriers, 2048 bytes smem, 368 bytes cmem[0]
"""


class Registers(unittest.TestCase):
    def test_reads_registers_spills_and_shared_memory(self):
        one, two = registers.demangled(registers.kernels_of(LOG))
        self.assertEqual(one, dict(kernel="one", architecture=80, spilled_bytes=0, registers=32,
                                   shared_bytes=0, occupancy=1.0))
        # 104 registers by 256 threads are 26,624: two blocks of eight.
        self.assertEqual(two, dict(kernel="two", architecture=90, spilled_bytes=64, registers=100,
                                   shared_bytes=2048, occupancy=0.25))

    def test_the_kept_results_are_of_all_kernels_and_spill_next_to_nothing(self):
        kept = json.loads((ROOT / "bench/results/registers.json").read_text())
        for architecture in (80, 90):
            names = {k["kernel"] for k in kept if k["architecture"] == architecture}
            for body in ("augment_flat", "Windows", "IntoInput", "Depthwise", "Moments"):
                self.assertTrue(any(body in name for name in names), body)
        self.assertLessEqual(max(k["spilled_bytes"] for k in kept), 64)
        self.assertGreaterEqual(min(k["occupancy"] for k in kept), 0.5)


if __name__ == "__main__":
    unittest.main()
