"""zsh completes the words of a command line by the script that `retia completion zsh` prints."""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

RETIA = pathlib.Path(os.environ["RETIA_PROGRAMS"]) / "retia"
SECONDS = 60


class Shell:
    """An interactive zsh on a terminal of its own."""

    def __init__(self):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.environ["TERM"] = "dumb"
            os.execvp("zsh", ["zsh", "-f", "-i"])

    def write(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, expected):
        """Returns what the shell writes, to the end of `expected`."""
        written, end = "", time.monotonic() + SECONDS
        while expected not in written:
            if time.monotonic() > end:
                raise TimeoutError(f"no {expected!r} in {written!r}")
            if select.select([self.terminal], [], [], 0.5)[0]:
                read = os.read(self.terminal, 4096).decode(errors="replace")
                written += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", read)
        return written

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.process, 0)


@unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
class ZshCompletion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        script = pathlib.Path(cls.folder.name) / "script"
        script.write_text(subprocess.run([RETIA, "completion", "zsh"], check=True, capture_output=True,
                                         text=True).stdout)
        cls.shell = Shell()
        # The words between quotes keep what is typed from being taken for what is written.
        cls.shell.write("PROMPT='> '; retia() { : }; autoload -Uz compinit && compinit -u -D; "
                        f". {script}; echo 'rea''dy'\n")
        cls.shell.read_until("ready")

    @classmethod
    def tearDownClass(cls):
        cls.shell.close()
        cls.folder.cleanup()

    def expect(self, typed, completed):
        with self.subTest(typed):
            self.shell.write(typed + "\t")
            self.shell.read_until(completed)
            self.shell.write("\x15echo 'do''ne'\n")
            self.shell.read_until("done")

    def test_completes_commands_options_names_and_keys(self):
        self.expect("retia sear", "retia search ")
        self.expect("retia bench k", "retia bench kernels ")
        self.expect("retia search --sp", "retia search --space ")
        self.expect("retia search --algorithm pc_", "retia search --algorithm pc_darts ")
        self.expect("retia search --set algorithm.hard", "retia search --set algorithm.hard=")
        self.expect("retia completion z", "retia completion zsh ")


if __name__ == "__main__":
    unittest.main()
