"""What the end-to-end tests share: a daemon of their own on a free port, calls to it, results as TAP.

A test file is a program: functions decorated with @test, then main(). Each gets a fresh daemon unless it asks for none:

    @test("an empty body is blocked")
    def empty(daemon):
        answer = daemon.post("/v1/screen", b"")
        expect(answer.json["verdict"], "block")

    main()
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("PRESCREEN_BUILD", ROOT / "build" / "release")).resolve()
DATA = ROOT / "tests" / "data"
# Under a sanitizer or valgrind everything takes longer.
PATIENCE = float(os.environ.get("PRESCREEN_TEST_PATIENCE", "1"))
_tests = []


class Skip(Exception):
    """Raised by a test that cannot run here; its text is the reason."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """prescreend with a configuration of its own in a folder of its own. Use as a context manager."""

    def __init__(self, config="", listen="127.0.0.1:0", environment=None, folder=None, program="prescreend"):
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="prescreen-test-"))
        self.data_dir = self.folder / "data"
        self.config_path = self.folder / "prescreen.yaml"
        own = "" if "listen:" in config else f"listen: '{listen}'\n"
        self.config_path.write_text(f"{own}data_dir: {self.data_dir}\n{config}")
        self.environment = dict({"PATH": os.environ["PATH"]}, **(environment or {}))
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "PRESCREEN_CPU"):
            if name in os.environ:
                self.environment.setdefault(name, os.environ[name])
        self.program = BUILD / program
        self.process, self.url, self.lines, self.ready = None, None, [], threading.Event()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def start(self):
        self.ready.clear()
        self.process = subprocess.Popen([str(self.program), "--config", str(self.config_path)], env=self.environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True, errors="replace", cwd=self.folder)
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        if not self.ready.wait(30 * PATIENCE) or self.url is None:
            self.kill()
            raise AssertionError("the daemon did not become ready:\n" + self.log)
        return self

    def _read(self, process):
        for line in process.stderr:
            self.lines.append(line)
            found = re.match(r"ready (\S+)$", line.strip())
            if found:
                self.url = found.group(1)
                self.ready.set()
        self.ready.set()

    @property
    def log(self):
        return "".join(self.lines)

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        """(host, port) of a TCP listener."""
        host, port = re.match(r"http://\[?([^\]]+?)\]?:(\d+)$", self.url).groups()
        return host, int(port)

    def connect(self, timeout=30):
        """A raw socket."""
        sock = socket.create_connection(self.address, timeout=timeout * PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def connection(self, timeout=60):
        if self.url.startswith("unix:"):
            return UnixConnection(self.url[len("unix:"):], timeout * PATIENCE)
        return http.client.HTTPConnection(*self.address, timeout=timeout * PATIENCE)

    def request(self, method, path, body=None, headers=None, timeout=60):
        connection = self.connection(timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=b"", **more):
        return self.request("POST", path, body=body, **more)

    def put(self, path, value, **more):
        return self.request("PUT", path, body=json.dumps(value), **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def screen(self, name, query="", **more):
        """Screens a file of tests/data; returns the answer's JSON."""
        answer = self.post("/v1/screen" + query, (DATA / name).read_bytes(), **more)
        expect(answer.status, 200, answer)
        return answer.json

    def put_list(self, name, action="report", **properties):
        answer = self.put(f"/v1/lists/{name}", dict({"action": action, "source": "test"}, **properties))
        expect(answer.status in (200, 201), True, answer)

    def add_entries(self, name, entries):
        answer = self.post(f"/v1/lists/{name}/entries", json.dumps({"upsert": entries}))
        expect(answer.status, 200, answer)
        return answer.json

    def workers(self, program="prescreen-worker"):
        """Process ids of the decoders of the kind whose program that is."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)
                if int(fields[1].split()[1]) == self.pid and fields[0].endswith("(" + program[:15]):
                    found.append(int(folder.name))
            except (OSError, IndexError, ValueError):
                continue
        return sorted(found)

    def stop(self, timeout=30):
        """Asks the daemon to end; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout * PATIENCE)
        self.reader.join(10)
        return status

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
        if self.process is not None:
            self.reader.join(10)

    def close(self):
        try:
            if self.process is not None and self.process.poll() is None:
                try:
                    self.stop()
                except subprocess.TimeoutExpired:
                    self.kill()
                    raise AssertionError("the daemon did not stop when asked:\n" + self.log)
        finally:
            if self.own_folder:
                shutil.rmtree(self.folder, ignore_errors=True)
        for sign in ("AddressSanitizer", "runtime error:", "LeakSanitizer", "BUG at "):
            if sign in self.log:
                raise AssertionError(f"{sign} in the daemon's log:\n" + self.log)


def expect(found, wanted, context=""):
    if found != wanted:
        raise AssertionError(f"expected {wanted!r}, found {found!r} {context}")


def wait_until(condition, seconds=10, what="the condition"):
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come about within {seconds} s")


def test(title, **daemon):
    """Marks a test. daemon: arguments of Daemon, or start=False for a test that starts its own."""

    def mark(function):
        _tests.append((title, function, daemon))
        return function

    return mark


def main():
    failed = 0
    print(f"1..{len(_tests)}", flush=True)
    for number, (title, function, arguments) in enumerate(_tests, 1):
        try:
            if arguments.get("start", True):
                with Daemon(**arguments) as daemon:
                    function(daemon)
            else:
                function()
            print(f"ok {number} - {title}", flush=True)
        except Skip as skip:
            print(f"ok {number} - {title} # SKIP {skip}", flush=True)
        except Exception:  # a test may fail in any way; the next one still runs
            failed += 1
            print(f"not ok {number} - {title}", flush=True)
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()), flush=True)
    sys.exit(1 if failed else 0)
