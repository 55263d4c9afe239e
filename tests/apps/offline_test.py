#!/usr/bin/env python3
"""A whole run where opening a socket of any kind ends the program: offline_test.py VULTUS PACK.

A seccomp filter answers the system call socket with SIGSYS. With a GPU local sockets (AF_UNIX) are let through: Mesa asks
the C library for the user's home folder, and that asks a name service cache whether it is there."""

import ctypes
import os
import pathlib
import platform
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

VULTUS, PACK = sys.argv[1:3]
SOCKET = {"x86_64": 41, "aarch64": 198}.get(platform.machine())
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def forbid_sockets(local_too):
    load, jump, give_back = 0x20, 0x15, 0x06  # BPF: load a word, jump if equal, return
    allow, kill = 0x7FFF0000, 0x80000000
    number, domain = 0, 16  # places in struct seccomp_data
    spared = 0xFFFFFFFF if local_too else socket.AF_UNIX
    program = b"".join(struct.pack("<HBBI", *line) for line in (
        (load, 0, 0, number), (jump, 0, 3, SOCKET), (load, 0, 0, domain), (jump, 1, 0, spared), (give_back, 0, 0, kill),
        (give_back, 0, 0, allow)))
    lines = ctypes.create_string_buffer(program)
    header = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(lines))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0):
        os._exit(77)


def run(*arguments, local_too=True):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=600,
                          preexec_fn=lambda: forbid_sockets(local_too))


@unittest.skipIf(SOCKET is None, "the number of the system call is not known here")
class Offline(unittest.TestCase):
    def setUp(self):
        internet, local = (f"import socket; socket.socket({family})" for family in ("socket.AF_INET", "socket.AF_UNIX"))
        for program, local_too, expected in ((internet, True, -signal.SIGSYS), (internet, False, -signal.SIGSYS),
                                             (local, True, -signal.SIGSYS), (local, False, 0)):
            tried = run(sys.executable, "-c", program, local_too=local_too).returncode
            if tried == 77:
                self.skipTest("seccomp is not to be had")
            self.assertEqual(tried, expected, "the filter does not work")

    def test_process_opens_no_socket(self):
        shared = pathlib.Path(os.environ.get("VULTUS_SHARED", pathlib.Path(__file__).parents[3] / "shared"))
        clip = shared / "media" / "intel_head_pose_two_faces.mp4"
        if not clip.exists():
            self.assertFalse(os.environ.get("CI"), f"{clip} is missing")
            self.skipTest(f"{clip} is missing")
        for device in ("cpu", "gpu"):
            with self.subTest(device), tempfile.TemporaryDirectory() as folder:
                limit = [] if device == "cpu" else ["--no-mirror", "--no-overlay"]
                done = run(VULTUS, "process", clip, "-o", folder, "--pack", PACK, "--device", device, "--quiet", *limit,
                           local_too=device == "cpu")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertTrue((pathlib.Path(folder) / clip.stem / "summary.json").exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
