# SPDX-License-Identifier: Apache-2.0
"""Runs a command, and all that it starts, where one system call is refused, as many containers do."""

import ctypes
import os
import platform
import struct
import sys

NUMBERS = {
    "ptrace": {"x86_64": 101, "aarch64": 117},
    "landlock_create_ruleset": {"x86_64": 444, "aarch64": 444},
}
LOAD, EQUALS, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1  # EPERM
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2


def instruction(code: int, when: int, otherwise: int, value: int) -> bytes:
    return struct.pack("HBBI", code, when, otherwise, value)


def refuse(number: int):
    program = (
        instruction(LOAD, 0, 0, 0)
        + instruction(EQUALS, 0, 1, number)
        + instruction(RETURN, 0, 0, REFUSE)
        + instruction(RETURN, 0, 0, ALLOW)
    )
    code = ctypes.create_string_buffer(program)
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, FILTER, head, 0, 0)):
        if libc.prctl(*words) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))


refuse(NUMBERS[sys.argv[1]][platform.machine()])
os.execv(sys.argv[2], sys.argv[2:])
