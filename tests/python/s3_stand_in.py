"""A stand-in for S3 that counts what it is asked, takes its time, and fails as it is told. In memory, on loopback."""

import hashlib
import http.server
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

PAGE = 1000


class StandIn:
    """Buckets of objects: ``objects[bucket][key]`` are bytes. ``errors[key]``: a status and code for a GET of it, as often
    as it is listed there. ``storage[key]``: a storage class. ``pause``: seconds before each answer."""

    def __init__(self):
        self.objects, self.errors, self.storage = {"logs": {}}, {}, {}
        self.pause, self.until = 0.0, 0
        self.listed, self.got, self.ranges = [], [], []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self):
                with stand_in._lock:
                    stand_in.at_once += 1
                    stand_in.most_at_once = max(stand_in.most_at_once, stand_in.at_once)
                try:
                    stand_in.hold()
                    status, headers, body = stand_in.answer(self.path, self.headers)
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                finally:
                    with stand_in._lock:
                        stand_in.at_once -= 1

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, answer = stand_in.store(self.path, self.headers, body)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        class Waiting(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128  # a short one drops connections of 32 threads at once, which then ask again

        self.server = Waiting(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def hold(self):
        """Waits before an answer: the pause, and until so many requests have been under way at once as `until` says."""
        time.sleep(self.pause)
        end = time.monotonic() + 5
        while self.most_at_once < self.until and time.monotonic() < end:
            time.sleep(0.002)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def put(self, key, data, bucket="logs"):
        self.objects.setdefault(bucket, {})[key] = data
        return f"s3://{bucket}/{key}"

    def answer(self, path, headers):
        parts = urllib.parse.urlsplit(path)
        bucket, _, key = urllib.parse.unquote(parts.path).lstrip("/").partition("/")
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        if bucket == "":
            return self.xml(
                "".join(f"<Bucket><Name>{b}</Name></Bucket>" for b in self.objects), "ListAllMyBucketsResult", "Buckets"
            )
        if bucket not in self.objects:
            return self.error(404, "NoSuchBucket", "The specified bucket does not exist")
        if "list-type" in query:
            return self.list(bucket, query)
        return self.get(bucket, key, headers)

    def list(self, bucket, query):
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        self.listed.append((prefix, delimiter))
        if prefix in self.errors:
            return self.error(*self.errors[prefix])
        names = {}
        for key, data in sorted(self.objects[bucket].items()):
            if not key.startswith(prefix):
                continue
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                names[prefix + rest.split(delimiter)[0] + delimiter] = None
            else:
                names[key] = data
        after = query.get("continuation-token", query.get("start-after", ""))
        later = [(name, data) for name, data in sorted(names.items()) if name > after]
        page = later[:PAGE]
        body = ""
        for name, data in page:
            text = escape(urllib.parse.quote(name, safe="/") if query.get("encoding-type") == "url" else name)
            if data is None:
                body += f"<CommonPrefixes><Prefix>{text}</Prefix></CommonPrefixes>"
            else:
                body += f"<Contents><Key>{text}</Key><LastModified>2026-11-23T06:05:00.000Z</LastModified><ETag>{escape(self.etag(data))}</ETag><Size>{len(data)}</Size><StorageClass>{self.storage.get(name, 'STANDARD')}</StorageClass></Contents>"
        more = len(later) > len(page)
        body += f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        if more:
            body += f"<NextContinuationToken>{escape(page[-1][0])}</NextContinuationToken>"
        if query.get("encoding-type") == "url":
            body += "<EncodingType>url</EncodingType>"
        return self.xml(body, "ListBucketResult")

    def get(self, bucket, key, headers):
        self.got.append(key)
        errors = self.errors.get(key)
        if errors:
            return self.error(*(errors.pop(0) if isinstance(errors, list) else errors))
        data = self.objects[bucket].get(key)
        if data is None:
            return self.error(404, "NoSuchKey", "The specified key does not exist.")
        if headers.get("If-Match") not in (None, self.etag(data)):
            return self.error(
                412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
            )
        own = {"ETag": self.etag(data), "Last-Modified": "Mon, 23 Nov 2026 06:05:00 GMT", "Accept-Ranges": "bytes"}
        if headers.get("Range") is None:
            return 200, own, data
        first, last = headers["Range"].removeprefix("bytes=").split("-")
        start, end = int(first), min(int(last) + 1, len(data))
        self.ranges.append((key, start, end))
        return 206, {**own, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}, data[start:end]

    def store(self, path, headers, body):
        """Puts an object, if its conditions hold."""
        bucket, _, key = urllib.parse.unquote(urllib.parse.urlsplit(path).path).lstrip("/").partition("/")
        if headers.get("Content-Encoding") == "aws-chunked":  # with a checksum behind it
            size, _, rest = body.partition(b"\r\n")
            body = rest[: int(size.split(b";")[0], 16)]
        with self._lock:
            old = self.objects[bucket].get(key)
            match = headers.get("If-Match")
            if (headers.get("If-None-Match") == "*" and old is not None) or (
                match is not None and (old is None or match != self.etag(old))
            ):
                return self.error(
                    412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
                )
            self.objects[bucket][key] = body
        return 200, {"ETag": self.etag(body)}, b""

    @staticmethod
    def etag(data):
        return f'"{hashlib.md5(data).hexdigest()}"'

    @staticmethod
    def error(status, code, message):
        body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
        return status, {"Content-Type": "application/xml"}, body.encode()

    @staticmethod
    def xml(body, root, inner=None):
        body = f"<{inner}>{body}</{inner}>" if inner else body
        text = f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{body}</{root}>'
        return 200, {"Content-Type": "application/xml"}, text.encode()
