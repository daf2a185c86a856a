#!/usr/bin/env python3
"""Runs a command and sends it a signal while it writes a file in a folder.

usage: interrupt.py SIGNAL FOLDER COMMAND...     (SIGNAL by name, such as SIGINT)
       interrupt.py PAUSE FOLDER COMMAND...

With PAUSE the command is stopped for a good second and then goes on, with a terminal as its stderr;
what it wrote there is printed. Ends with the status of the command, 128 and the signal's number if
one ended it, and 99 if the command was done before it could be caught.
"""
import os
import pty
import signal
import subprocess
import sys
import time

TOO_LATE = 99


def is_writing(process, folder):
    """True once the process holds an open file in the folder."""
    descriptors = "/proc/%d/fd" % process.pid
    try:
        targets = [os.readlink(os.path.join(descriptors, fd)) for fd in os.listdir(descriptors)]
    except OSError:
        return False
    return any(target.startswith(folder + "/") for target in targets)


def wait_until_writing(process, folder):
    """False if the process ended first."""
    while process.poll() is None:
        if is_writing(process, folder):
            return True
    return False


def status_of(process):
    """The status as a shell gives it."""
    code = process.wait()
    return code if code >= 0 else 128 - code


def send(number, folder, command):
    """Sends a signal once the command writes."""
    process = subprocess.Popen(command)
    if not wait_until_writing(process, folder):
        return TOO_LATE
    process.send_signal(number)
    return status_of(process)


def read_all(terminal):
    """What was written to a terminal until its last writer went."""
    text = b""
    try:
        while piece := os.read(terminal, 4096):
            text += piece
    except OSError:  # how Linux says that the other side is closed
        pass
    return text


def pause(folder, command):
    """Stops the command for a while and lets it go on."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stderr=theirs)
    os.close(theirs)
    if not wait_until_writing(process, folder):
        return TOO_LATE
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.2)
    process.send_signal(signal.SIGCONT)
    sys.stdout.buffer.write(read_all(ours))
    return status_of(process)


def main():
    """Reads the arguments."""
    word, folder, command = sys.argv[1], os.path.realpath(sys.argv[2]), sys.argv[3:]
    if word == "PAUSE":
        return pause(folder, command)
    return send(getattr(signal, word), folder, command)


if __name__ == "__main__":
    sys.exit(main())
