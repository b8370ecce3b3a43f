"""Hostile and broken candidates: each ends as its own verdict, in time, and the next one is unharmed."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sandbox_levels import CONFINED, descendants, need

from evoloom.core.contracts import Failed, Limits, Verdict
from evoloom.core.errors import InfrastructureError, UsageError
from evoloom.evaluate.sandbox import open_box

QUICK = Limits(seconds=0.4, memory_mb=256)
ROOMY = Limits(seconds=20, memory_mb=256)
GOOD = "import numpy as np\ndef f(x):\n    return np.sqrt(x) + 1\n"


@pytest.fixture(scope="module", params=["limits", *CONFINED])
def box(request):
    level = need(request.param)
    with open_box(level, ["numpy"]) as box:
        yield box


@pytest.fixture(scope="module", params=CONFINED)
def confined(request):
    """For what is promised from level `confined` on."""
    level = need(request.param)
    with open_box(level, ["numpy"]) as box:
        yield box


def run(box, body, *args, limits=ROOMY, top=""):
    """Call `f` of a program with this body; returns the value and what was printed."""
    source = f"{top}\ndef f(*args):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    with box.open(source, "f", limits) as session:
        return session.call(*args), session.printed


def verdict(box, body, *args, limits=ROOMY, top=""):
    """How it fails; afterwards a good candidate must still work in the same box."""
    start = time.monotonic()
    with pytest.raises(Failed) as e:
        run(box, body, *args, limits=limits, top=top)
    seconds = time.monotonic() - start
    with box.open(GOOD, "f") as session:
        assert session.call(9.0) == 4.0
    return e.value.verdict, e.value.why, seconds


def test_plain_data_goes_in_and_comes_back(box):
    with box.open(GOOD, "f") as session:
        got = session.call(np.arange(7200.0).reshape(120, 60))
        np.testing.assert_array_equal(got, np.sqrt(np.arange(7200.0).reshape(120, 60)) + 1)
        assert session.call(4.0) == 3.0
    value = {"a": [1, 2.5, None, True], "b": ("x\ud800", b"\0"), 3: np.float32(0.5)}
    got, printed = run(box, "print('hello', len(args)); return args[0]", value)
    assert got == value
    assert type(got[3]) is np.float32
    assert printed == "hello 1\n"


def test_state_lives_between_calls_of_a_session_only(box):
    source = "n = 0\ndef f():\n    global n\n    n += 1\n    return n\n"
    for _ in range(2):
        with box.open(source, "f") as session:
            assert [session.call() for _ in range(3)] == [1, 2, 3]


def test_answers_are_reproducible(box):
    body = "return [random.random(), np.random.rand(), hash('text'), [*{'b', 'a', 'c', 'd'}]]"
    first, second = (run(box, body, top="import random, numpy as np")[0] for _ in range(2))
    assert first == second


def test_not_a_number_is_only_data(box):
    got, _ = run(box, "return float('nan'), np.array([np.inf, np.nan])", top="import numpy as np")
    assert math.isnan(got[0])
    assert math.isinf(got[1][0])


def test_endless_loop(box):
    how, why, seconds = verdict(box, "while True: pass", limits=QUICK)
    assert how == Verdict.TIMEOUT
    assert "0.4 s" in why
    assert seconds < 5  # it was ended, not waited for; bench/sandbox.py measures how soon


def test_endless_loop_at_import_in_c_and_in_except(box):
    assert verdict(box, "return 1", top="while True: pass", limits=QUICK)[0] == Verdict.TIMEOUT
    assert verdict(box, "return sum(range(10**18))", limits=QUICK)[0] == Verdict.TIMEOUT
    assert verdict(box, "while True:\n    try:\n        time.sleep(9)\n    except BaseException: pass",
                   top="import time", limits=QUICK)[0] == Verdict.TIMEOUT  # fmt: skip


def test_the_time_limit_is_over_all_calls(box):
    with box.open("import time\ndef f(): time.sleep(0.15)\n", "f", QUICK) as session:
        session.call()
        time.sleep(0.5)  # our own time is not the candidate's
        session.call()
        with pytest.raises(Failed, match="timeout"):
            session.call()
        with pytest.raises(Failed, match="timeout"):
            session.call()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import sys; sys.exit(0)", "exit"),
        ("raise SystemExit('all tests passed')", "exit"),
        ("import os; os._exit(0)", "exited with status 0"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
        ("import os; os.abort()", "SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ],
)
def test_exits_and_signals(box, body, words):
    how, why, _ = verdict(box, body)
    assert how == Verdict.KILLED
    assert words in why


@pytest.mark.parametrize(
    "body",
    [
        "import os; os.fork(); return 1",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.execv('/bin/true', ['true'])",
        "import socket; socket.socket()",
        "import socket; socket.socketpair()",
        "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
        "import os, signal; os.kill(-1, signal.SIGKILL)",
        "import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)",
        "import ctypes; ctypes.CDLL(None).unshare(0x10000000)",
        "import ctypes; ctypes.CDLL(None).syscall(425, 8, 0)",
    ],
)
def test_forbidden_system_calls(confined, body):
    how, why, _ = verdict(confined, body)
    assert how == Verdict.KILLED
    assert "forbidden system call" in why


@pytest.mark.parametrize(
    "body",
    [
        "os.sched_setaffinity(os.getppid(), {0})",
        "import fcntl; fcntl.fcntl(3, fcntl.F_SETOWN, os.getppid())",
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
        "os.chmod('/tmp', 0o777)",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)",
        "os.memfd_create('x')",
    ],
)
def test_denied_system_calls_raise(confined, body):
    how, why, _ = verdict(confined, body, top="import os")
    assert how == Verdict.ERROR
    assert "PermissionError" in why


def test_processes_started_below_limits_do_not_survive():
    with open_box(need("limits")) as box:
        before = descendants()
        body = "pid = os.fork()\nif pid == 0:\n    os.setsid()\n    time.sleep(60)\nreturn pid"
        run(box, body, top="import os, time")
        with pytest.raises(Failed):
            run(box, body.replace("return pid", "os._exit(1)"), top="import os, time")
        eventually(lambda: len(descendants() - before) <= 1)  # one process waits ahead of need


def test_threads_may_be_started_but_not_without_end(box):
    got, _ = run(box, "t = threading.Thread(target=args_list.append, args=(5,)); t.start(); t.join(); return args_list",
                 top="import threading\nargs_list = []")  # fmt: skip
    assert got == [5]
    how, why, _ = verdict(box, "threading.stack_size(32768)\nwhile True:\n    threading.Thread(target=e.wait).start()",
                          top="import threading\ne = threading.Event()")  # fmt: skip
    assert how in (Verdict.ERROR, Verdict.MEMORY)
    assert "thread" in why


def test_a_thread_that_outlives_the_call_ends_with_the_session(box):
    body = "threading.Thread(target=time.sleep, args=(60,)).start(); return 1"
    assert run(box, body, top="import threading, time")[0] == 1
    assert verdict(box, "while True: pass", top="import threading, time", limits=QUICK)[0] == Verdict.TIMEOUT


@pytest.mark.parametrize("body", ["return len(bytearray(4 << 30))", "return float(np.ones((1 << 29)).sum())",
                                  "x = []\nwhile True: x.append(bytearray(1 << 20))"])  # fmt: skip
def test_memory(box, body):
    how, why, _ = verdict(box, body, top="import numpy as np", limits=Limits(seconds=5, memory_mb=256))
    assert how == Verdict.MEMORY
    assert "MemoryError" in why


def test_output_too_large_or_of_no_kind(box):
    assert verdict(box, "return object()")[0] == Verdict.OUTPUT
    how, why, _ = verdict(box, "return {1, 2}")
    assert how == Verdict.OUTPUT
    assert "'set' cannot cross" in why
    assert verdict(box, "x = []; x.append(x); return x")[0] == Verdict.OUTPUT
    how, why, _ = verdict(box, "return bytes(2000)", limits=Limits(seconds=2, output_bytes=1000))
    assert how == Verdict.OUTPUT
    assert "1,000" in why


def test_print_is_kept_cut_and_ended(box):
    limits = Limits(seconds=5, print_bytes=1000)
    _, printed = run(box, "import sys; print('a' * 3000); print('b', file=sys.stderr)", limits=limits)
    assert printed == "a" * 1000
    for body in ("while True: print('spam' * 100)", "while True: os.write(2, b'x' * 10000)"):
        how, why, seconds = verdict(box, body, limits=limits, top="import os")
        assert how == Verdict.OUTPUT
        assert "printed more than" in why
        assert seconds < 4


def test_errors_show_the_lines_of_the_candidate_only(box):
    how, why, _ = verdict(box, "return g(0)", top="def g(x):\n    return 1 / x")
    assert how == Verdict.ERROR
    assert why.split("\n") == [
        "line 4, in f: return g(0)", "line 2, in g: return 1 / x", "ZeroDivisionError: division by zero"
    ]  # fmt: skip
    assert "RecursionError" in verdict(box, "return f()")[1]
    how, why, _ = verdict(box, "raise Bad", top="class Bad(Exception):\n    def __str__(self): raise ValueError")
    assert how == Verdict.ERROR
    assert "text cannot be had" in why


def test_a_session_goes_on_after_an_error(box):
    with box.open("def f(x):\n    return 1 / x\n", "f") as session:
        with pytest.raises(Failed, match="ZeroDivisionError"):
            session.call(0)
        assert session.call(2) == 0.5


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(:\n  pass", "line 1"),
        ("def g(x): return x", "no function 'f' in the program; it defines: g"),
        ("f = 3", "no function 'f'"),
        ("def f():\n  return '\0'", "not a Python program"),
        ("(" * 5000, "not a Python program"),
    ],
)
def test_not_a_program(box, source, words):
    with pytest.raises(Failed) as e, box.open(source, "f") as session:
        session.call()
    assert e.value.verdict == Verdict.INVALID
    assert words in e.value.why


def test_an_error_at_import_is_an_error(box):
    how, why, _ = verdict(box, "return 1", top="import numpy_that_is_not_there")
    assert how == Verdict.ERROR
    assert "ModuleNotFoundError" in why


def test_no_variable_of_the_user_is_seen(box, monkeypatch):
    monkeypatch.setenv("SECRET_API_KEY", "sk-123")
    with open_box(box.level) as fresh:
        got, _ = run(fresh, "return dict(os.environ)", top="import os")
    assert "SECRET_API_KEY" not in got
    assert got["OMP_NUM_THREADS"] == "1"
    assert set(got) <= {"PATH", "LANG", "LC_CTYPE", "PWD", "HOME", "TMPDIR", "PYTHONHASHSEED",
                        "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                        "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS"}  # fmt: skip


def test_files_of_the_project_cannot_be_read(confined, tmp_path):
    secret = tmp_path / "answers.txt"
    secret.write_text("42")
    import evoloom

    for path in (
        secret,
        Path(evoloom.__file__),
        Path(__file__),
        Path("/etc/passwd"),
        Path(f"/proc/{os.getpid()}/environ"),
    ):
        how, why, _ = verdict(confined, "return open(args[0]).read()", str(path))
        assert how == Verdict.ERROR
        assert "PermissionError" in why or "FileNotFoundError" in why
    how, why, _ = verdict(confined, "import evoloom.evaluate.sandbox")
    assert how == Verdict.ERROR
    assert "Error" in why


def test_files_are_written_in_one_throwaway_folder(confined, tmp_path):
    body = "open('note', 'w').write('x'); return os.getcwd(), open('note').read(), os.path.exists('old')"
    home, read, _ = run(confined, body, top="import os, tempfile")[0]
    assert read == "x"
    eventually(lambda: run(confined, "return os.path.exists(args[0])", home, top="import os")[0] is False)
    for path in (str(tmp_path / "x"), "/tmp/evoloom-x", "/usr/lib/x", os.path.dirname(home) + "/x", "/dev/shm/x"):
        how, why, _ = verdict(confined, "open(args[0], 'w').write('x')", path)
        assert how == Verdict.ERROR
        assert "Error" in why
        assert not os.path.exists(path)


def test_a_file_cannot_grow_without_end(box):
    how, why, _ = verdict(box, "f = open('big', 'wb')\nwhile True: f.write(bytes(1 << 20)); f.flush()",
                          limits=Limits(seconds=5, files_mb=4))  # fmt: skip
    assert how == Verdict.ERROR
    assert "File too large" in why


def test_truncation_of_readable_files(confined):
    path = os.__file__
    size = os.path.getsize(path)
    assert verdict(confined, "os.truncate(args[0], 0)", path, top="import os")[0] == Verdict.ERROR
    assert verdict(confined, "os.open(args[0], os.O_RDONLY | os.O_TRUNC)", path, top="import os")[0] == Verdict.ERROR
    assert os.path.getsize(path) == size


def test_root_is_left_behind(confined):
    got, _ = run(confined, "return os.getuid(), os.geteuid(), os.getgroups()", top="import os")
    if os.geteuid() == 0:
        assert 0 not in got[:2]
        assert got[2] == []
    assert verdict(confined, "os.setuid(0)", top="import os")[0] == Verdict.ERROR


@pytest.mark.parametrize(
    "body",
    [
        "os.write(3, b'garbage' * 100)",
        "os.write(3, struct.pack('<IBI', 1 << 31, 5, 1))",  # a giant answer
        "os.write(3, struct.pack('<IBI', 1, 5, 77) + b'0')",  # an answer to another call
        "os.write(3, struct.pack('<IBI', 3, 5, 1) + b'l\\xff\\xff')",  # an answer that is no value
        "os.write(3, struct.pack('<IBI', 1, 4, 0) + b'0')",  # "the sandbox is broken"
        "os.write(3, struct.pack('<IBI', 1, 6, 1) + b'0')",  # a verdict that is none
        "os.write(3, struct.pack('<IBI', 1, 5, 1) + b'0' + struct.pack('<IBI', 1, 5, 2) + b'0')",
    ],
)
def test_forged_frames_are_refused(box, body):
    how, why, _ = verdict(box, body + "; time.sleep(0.05); return 1", top="import os, struct, time")
    assert how == Verdict.OUTPUT
    assert "answer" in why


def test_a_forged_answer_is_only_data(box):
    body = "os.write(3, struct.pack('<IBI', 9, 5, 1) + b'i' + struct.pack('<q', 7)); os._exit(0)"
    assert run(box, body, top="import os, struct")[0] == 7


def test_a_verdict_cannot_be_forged_into_a_better_one(box):
    frame = (
        "body = wire.encode((args[0], 'x')); os.write(3, struct.pack('<IBI', len(body), 6, 1) + body); time.sleep(9)"
    )
    for code in (0, 4, 7, 99, -1, "ok", None):
        how = verdict(
            box, frame, code, top="import os, struct, time, sys\nwire = sys.modules['evoloom.evaluate.wire']"
        )[0]
        assert how in (Verdict.ERROR, Verdict.OUTPUT)


def test_sessions_do_not_see_each_other(box):
    """Two at once: neither has descriptors, files or processes of the other."""
    body = "return sorted(int(n) for n in range(256) if ok(n)), os.listdir('.'), os.getsid(0) == os.getpid()"
    top = "import os\ndef ok(n):\n    try: os.fstat(n)\n    except OSError: return False\n    return True"
    source = f"{top}\ndef f():\n    {body}\n"
    with box.open(source, "f") as a, box.open(source, "f") as b:
        assert a.call() == b.call() == ([0, 1, 2, 3], [], True)


def test_a_failure_of_one_session_spares_its_neighbour(box):
    with box.open(GOOD, "f") as good:
        assert good.call(4.0) == 3.0
        for body in ("while True: pass", "import os; os._exit(1)", "return bytearray(4 << 30)"):
            with pytest.raises(Failed):
                run(box, body, limits=QUICK)
        assert good.call(9.0) == 4.0


def test_a_zygote_that_dies_is_started_again(box):
    box._zygote.process.kill()
    box._zygote.process.wait()
    for _ in range(2):
        with box.open(GOOD, "f") as session:
            assert session.call(9.0) == 4.0


def test_the_death_of_the_zygote_is_not_a_verdict(confined):
    with confined.open("import time\ndef f(): time.sleep(9)\n", "f") as session:
        threading.Timer(0.3, confined._zygote.process.kill).start()
        with pytest.raises(InfrastructureError):
            session.call()


def test_killing_the_parent_at_level_limits():
    with open_box(need("limits"), ["numpy"]) as box:
        how = verdict(
            box, "import os, signal; os.kill(os.getppid(), signal.SIGKILL); time.sleep(9)", top="import time"
        )[0]
        assert how in (Verdict.KILLED, Verdict.ERROR)


def test_many_threads_share_a_box(box):
    failures = []

    def work(k):
        try:
            for i in range(8):
                with box.open(GOOD, "f") as session:
                    assert session.call(float(k * i)) == math.sqrt(k * i) + 1
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert failures == []


@pytest.mark.parametrize("level", ["limits", *CONFINED])
def test_closing_ends_everything(level):
    time.sleep(0.2)  # boxes of other tests finish replacing their spare process
    before = descendants()
    other = open_box(need(level))
    sessions = [other.open("import time\ndef f(): time.sleep(99)\n", "f") for _ in range(3)]
    eventually(lambda: len(descendants() - before) >= 4)
    other.close()
    assert descendants() <= before
    with pytest.raises(InfrastructureError, match="closed"):
        other.open(GOOD, "f")
    for s in sessions:
        s.close()


def test_killing_the_coordinator_leaves_nothing(box, tmp_path):
    code = f"""
import os, threading, time
from evoloom.evaluate.sandbox import open_box
box = open_box({box.level!r})
s = box.open("import threading, time\\ndef f():\\n    print('up')\\n    while True: pass\\n", "f")
threading.Thread(target=s.call, daemon=True).start()
time.sleep(0.3)
print("ready", flush=True)
time.sleep(60)
"""
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        below = descendants(process.pid)
        assert len(below) >= 2
        process.send_signal(signal.SIGKILL)
    eventually(lambda: not below & running())
    eventually(lambda: not list(tmp_path.iterdir()))


def eventually(holds, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def running() -> set[int]:
    return {p for p in map(int, filter(str.isdigit, os.listdir("/proc"))) if not _dead(p)}


def _dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_names_and_modules_are_checked():
    with pytest.raises(UsageError, match="Did you mean 'confined'"):
        open_box("confine")
    with pytest.raises(UsageError, match="no such module"):
        open_box("limits", ["numpy_that_is_not_there"])


def test_auto_takes_the_highest_and_refuses_below_confined(monkeypatch):
    for level in ("bubblewrap", "confined"):
        need(level)
    with open_box() as box:
        assert box.level == "bubblewrap"
    monkeypatch.setenv("PATH", "/nowhere")
    with open_box() as box:
        assert box.level == "confined"
    from evoloom.evaluate import launch

    def broken(level, plan):
        raise InfrastructureError(f"no {level}")

    monkeypatch.setattr(launch, "start", broken)
    with pytest.raises(InfrastructureError, match="sandbox='limits'"):
        open_box()


def test_a_box_is_not_used_across_a_fork(box):
    pid = os.fork()
    if pid == 0:
        try:
            box.open(GOOD, "f")
        except InfrastructureError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_level_none_runs_here():
    with open_box("none").open("def f(x):\n    print(x)\n    return g(x)\ndef g(x): return x + 1\n", "f") as session:
        assert session.call(1) == 2
        assert session.printed == "1\n"
    for source, how in (
        ("def f(): 1/0", Verdict.ERROR),
        ("def", Verdict.INVALID),
        ("def f(): exit(1)", Verdict.KILLED),
    ):
        with pytest.raises(Failed) as e, open_box("none").open(source, "f") as session:
            session.call()
        assert e.value.verdict == how
