"""Sources of lists as their public documentation describes them, on this machine, with faults on demand."""
import base64
import datetime
import email.utils
import http.server
import json
import ssl
import threading
import time
import urllib.parse

USER, PASSWORD = "esp-user", "s3cret pass:word"
FUNCTIONS_KEY, SUBSCRIPTION_KEY = "function-key-1", "subscription-key-2"
SPACE = "https://hashsharing.ncmec.org/hashsharing/v2"


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp())


class Source:
    """A server on a free port. Use as a context manager.

    faults: what becomes of the next calls for pages, the first one first: None (nothing), or a function that gets the
    handler and the right answer and returns True when it has answered itself."""

    base = ""

    def __init__(self, certificate=None, page_size=3):
        self.page_size, self.skew, self.faults, self.calls, self.refused = page_size, 0, [], [], 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # whoever is killed amid a call, or trusts nobody
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}{self.base}"

    @property
    def now(self):
        """By its own clock."""
        return int(time.time()) + self.skew

    @property
    def pages(self):
        """The calls for pages so far."""
        return [call for call in self.calls if self.is_page(call)]

    def _handler(self):
        source = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def date_time_string(self, timestamp=None):
                return email.utils.formatdate(source.now, usegmt=True)

            def send(self, status, body=b"", headers=(), length=None):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def cut(self):
                self.close_connection = True

            def do_GET(self):
                try:
                    source.serve(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.cut()

        return Handler

    def serve(self, handler):
        self.calls.append(handler.path)
        if not self.lets_in(handler.headers):
            self.refused += 1
            handler.send(401)
            return
        parts = urllib.parse.urlsplit(handler.path)
        answer = self.answer(parts.path, dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)))
        if answer is None:
            handler.send(404)
            return
        fault = self.faults.pop(0) if self.faults and self.is_page(handler.path) else None
        if fault is None or not fault(handler, answer):
            handler.send(200, answer)


# What may become of a call.
def status(code, *headers):
    def fault(handler, _):
        handler.send(code, b"<html>not what was asked for</html>", headers)
        return True

    return fault


def short(handler, answer):
    """Fewer bytes than promised."""
    handler.send(200, answer[:len(answer) // 2], length=len(answer))
    handler.cut()
    return True


def cut(handler, answer):
    """Half of it, as if it were all."""
    handler.send(200, answer[:len(answer) // 2])
    return True


def nothing(handler, _):
    handler.cut()
    return True


def slow(seconds):
    def fault(_, __):
        time.sleep(seconds)
        return False

    return fault


def instead(change):
    """Another answer, made of the right one."""

    def fault(handler, answer):
        handler.send(200, change(answer))
        return True

    return fault


class Ncmec(Source):
    """NCMEC Hash Sharing v2: entries by the time of their last change, in no order within a range."""

    base = "/hashsharing"

    def __init__(self, **more):
        super().__init__(**more)
        self.entries = {}

    def put(self, name, md5, classification="A1", at=None):
        self.entries[name] = (self.now - 60 if at is None else at, classification, md5)

    def delete(self, name, at=None):
        self.entries[name] = (self.now - 60 if at is None else at, None, None)

    def lets_in(self, headers):
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return headers.get("Authorization") == "Basic " + wanted

    def is_page(self, path):
        return path.startswith(self.base + "/v2/entries?")

    def answer(self, path, query):
        if path == self.base + "/v2/status":
            return f'<status xmlns="{SPACE}"><username>{USER}</username><member id="1">M</member></status>'.encode()
        if path != self.base + "/v2/entries":
            return None
        begin, end = seconds_of(query["from"]), seconds_of(query["to"])
        names = sorted((name for name, entry in self.entries.items() if begin <= entry[0] < end), key=lambda n: n[::-1])
        start = int(query.get("start", 1))
        shown = names[start - 1:start - 1 + self.page_size]
        paging = ""
        if start - 1 + self.page_size < len(names):
            paging = (f"<paging><next>/v2/entries?from={query['from']}&amp;to={query['to']}&amp;start={start + self.page_size}"
                      f"&amp;size={self.page_size}&amp;max={len(names)}</next></paging>")
        inside = "".join(self.element(name) for name in shown)
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<queryResult xmlns="{SPACE}"><images count="{len(shown)}">{inside}'
                f"</images>{paging}</queryResult>").encode()

    def element(self, name):
        at, classification, md5 = self.entries[name]
        head = f'<member id="42">Example</member><timestamp>{stamp(at)}</timestamp><id>{name}</id>'
        if md5 is None:
            return f"<deletedImage>{head}</deletedImage>"
        return (f"<image>{head}<classification>{classification}</classification><fingerprints><md5>{md5}</md5></fingerprints>"
                "</image>")


class StopNcii(Source):
    """StopNCII's FetchHashes: records in the order of their last change, by a token from page to page."""

    base = "/v1"

    def __init__(self, **more):
        super().__init__(**more)
        self.records = []

    def put(self, pdq, state="Active", at=None):
        self.records.append({"lastModtimestamp": self.now - 60 if at is None else at, "hashValue": pdq, "hashStatus": state,
                             "caseNumbers": {"c": state}, "signalType": "ImagePDQ", "CSPFeedbacks": []})

    def lets_in(self, headers):
        return (headers.get("x-functions-key"), headers.get("Ocp-Apim-Subscription-Key")) == (FUNCTIONS_KEY, SUBSCRIPTION_KEY)

    def is_page(self, path):
        return path.startswith(self.base + "/FetchHashes?")

    def answer(self, path, query):
        if path != self.base + "/FetchHashes":
            return None
        records = [record for record in self.records if record["lastModtimestamp"] >= int(query["startTimestamp"])]
        begin = int(query["nextPageToken"].split("/+")[1].strip("=")) if "nextPageToken" in query else 0
        end = begin + min(self.page_size, int(query["pageSize"]))
        return json.dumps({"count": len(records[begin:end]), "nextSetTimestamp": self.now - 30, "hashRecords": records[begin:end],
                           "hasMoreRecords": end < len(records), "nextPageToken": f"t/+{end}=="}).encode()
