#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Image maker of the tests: honest images, lying images, and a registry that misbehaves on order.

Needs nothing but Python's standard library (and the program zstd for zstd layers).

  imagekit.py layer --root DIR [--parent DIR] -o FILE     pack a root filesystem (or what it adds to a parent) as FILE
  imagekit.py image --layout DIR --name NAME:TAG [--tag TAG] --layer FILE... [--config JSON] [--decoy ARCH]
  imagekit.py make RECIPE.json --layout DIR               images of raw tar headers and any lie (see "Recipes")
  imagekit.py push --layout DIR --registry HOST:PORT [NAME:TAG...]
  imagekit.py serve --dir LAYOUT [--script FILE] [--port N] --port-file FILE [--log FILE]

A layout is an OCI image layout; index.json names each image by its full "name:tag".

Recipes.  {"images": [{"name": "evil:latest", "config": {"Cmd": [...]}, "layers": [LAYER...], ...}]}
  image:  config (object below "config"), architecture, os, config_raw (bytes instead of a config document),
          manifest_patch / config_patch (merged over the document), manifest_raw, index ([{platform}...]: put an index
          in front), media ("oci" or "docker")
  LAYER:  entries, compress (gzip zstd xz none), media_type, digest / size / diff_id (claimed instead of the true
          ones), truncate (bytes to cut off the blob's end), flip (offset of a byte to damage), raw (hex: these bytes
          are the blob), trailer (false: no end-of-archive blocks)
  entry:  name, type (file dir symlink hardlink char block fifo, or one raw typeflag character), data, data_hex,
          data_file (a path of ours), fill (this many zero bytes), mode, uid, gid, mtime, link, major, minor, uname,
          gname, prefix, magic, size (a lie), checksum (a lie), header_hex (the whole 512 bytes), pax {key: value}

Scripts of `serve`.  A list of rules; the first whose "match" (regular expression on "METHOD path") fits and whose
"times" is not used up is obeyed, else the request is served honestly:
  {"match": "GET .*/blobs/.*", "do": "flip", "times": 1}
  do: flip (wrong bytes), truncate (close at "at" bytes or half), stall ("at" bytes, then silence for "seconds"),
      drip ("seconds" a byte), reset (RST before an answer), redirect ("to", "{digest}" is replaced), status ("code",
      "headers", "body"), unauthorized ("realm", "service", until a request carries Authorization), ratelimit
      ("retry_after"), nolength (HTTP/1.0, no Content-Length), badlength ("by"), chunked, endless, digest (a false
      Docker-Content-Digest), swap ("file": other content), delay ("seconds", then honest)
Every request is written to --log as one JSON line with its method, path and headers.
"""
import argparse
import gzip
import hashlib
import http.client
import http.server
import json
import lzma
import os
import re
import socket
import stat
import struct
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse
import zlib

MEDIA = {
    "oci": {
        "manifest": "application/vnd.oci.image.manifest.v1+json",
        "index": "application/vnd.oci.image.index.v1+json",
        "config": "application/vnd.oci.image.config.v1+json",
        "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
        "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
        "none": "application/vnd.oci.image.layer.v1.tar",
        "xz": "application/vnd.oci.image.layer.v1.tar+xz",
    },
    "docker": {
        "manifest": "application/vnd.docker.distribution.manifest.v2+json",
        "index": "application/vnd.docker.distribution.manifest.list.v2+json",
        "config": "application/vnd.docker.container.image.v1+json",
        "gzip": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "zstd": "application/vnd.docker.image.rootfs.diff.tar.zstd",
        "none": "application/vnd.docker.image.rootfs.diff.tar",
        "xz": "application/vnd.docker.image.rootfs.diff.tar.xz",
    },
}
CREATED = "2026-01-01T00:00:00Z"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def machine():
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def dump(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


# --- honest layers ---------------------------------------------------------------------------------------------------

def same_entry(path, other):
    """True if the parent layer already holds this very file."""
    try:
        a, b = os.lstat(path), os.lstat(other)
    except OSError:
        return False
    if (a.st_mode, a.st_uid, a.st_gid) != (b.st_mode, b.st_uid, b.st_gid):
        return False
    if stat.S_ISLNK(a.st_mode):
        return os.readlink(path) == os.readlink(other)
    if stat.S_ISREG(a.st_mode):
        if a.st_size != b.st_size:
            return False
        with open(path, "rb") as x, open(other, "rb") as y:
            return x.read() == y.read()
    return True


class HashedGzip:
    """A write-only file that compresses, and hashes both sides."""

    def __init__(self, path, level):
        self.out = open(path, "wb")
        self.deflate = zlib.compressobj(level, zlib.DEFLATED, 31)
        self.plain, self.packed, self.size = hashlib.sha256(), hashlib.sha256(), 0

    def write(self, data):
        self.plain.update(data)
        self._emit(self.deflate.compress(data))
        return len(data)

    def _emit(self, data):
        self.packed.update(data)
        self.size += len(data)
        self.out.write(data)

    def close(self):
        self._emit(self.deflate.flush())
        self.out.close()


def pack_root(root, parent, path, level=1):
    """Writes the difference of root to parent as a gzipped tar; returns its facts and leaves them in PATH.json."""
    out = HashedGzip(path, level)
    links = {}
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for folder, dirs, files in os.walk(root):
            dirs.sort()
            names = sorted(files + [d for d in dirs if os.path.islink(os.path.join(folder, d))])
            rel = os.path.relpath(folder, root)
            todo = ([] if rel == "." else [rel]) + [os.path.normpath(os.path.join(rel, n)) for n in names]
            for name in todo:
                full = os.path.join(root, name)
                if parent and same_entry(full, os.path.join(parent, name)):
                    continue
                info = tar.gettarinfo(full, arcname=name)
                if info is None:
                    continue
                info.uname = info.gname = ""
                st = os.lstat(full)
                info.mtime = int(st.st_mtime)
                if info.isreg() or info.islnk():
                    first = links.setdefault(st.st_ino, name) if st.st_nlink > 1 else name
                    if first != name:
                        info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
                    else:
                        info.type, info.linkname, info.size = tarfile.REGTYPE, "", st.st_size
                if info.isreg():
                    with open(full, "rb") as data:
                        tar.addfile(info, data)
                else:
                    tar.addfile(info)
    out.close()
    facts = {"digest": "sha256:" + out.packed.hexdigest(), "size": out.size,
             "diff_id": "sha256:" + out.plain.hexdigest()}
    with open(path + ".json", "w", encoding="ascii") as f:
        json.dump(facts, f)
    return facts


# --- layouts ---------------------------------------------------------------------------------------------------------

class Layout:
    def __init__(self, path):
        self.path = path
        os.makedirs(os.path.join(path, "blobs/sha256"), exist_ok=True)
        with open(os.path.join(path, "oci-layout"), "w", encoding="ascii") as f:
            f.write('{"imageLayoutVersion":"1.0.0"}')
        self.index_path = os.path.join(path, "index.json")
        self.entries = []
        if os.path.exists(self.index_path):
            with open(self.index_path, encoding="utf-8") as f:
                self.entries = json.load(f)["manifests"]

    def blob_path(self, digest):
        algorithm, _, value = digest.partition(":")
        if not re.fullmatch(r"[a-z0-9]+", algorithm) or not re.fullmatch(r"[0-9A-Za-z_.-]+", value):
            return None
        return os.path.join(self.path, "blobs", algorithm, value)

    def put(self, data, claimed=None):
        """Stores a blob under its digest, or under the digest it falsely claims to have."""
        digest = claimed or sha256(data)
        path = self.blob_path(digest)
        if path:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(data)
        return digest

    def put_file(self, path, digest):
        target = self.blob_path(digest)
        if not os.path.exists(target):
            try:
                os.link(path, target)
            except OSError:
                with open(path, "rb") as src, open(target, "wb") as dst:
                    while chunk := src.read(1 << 20):
                        dst.write(chunk)

    def name(self, name, media_type, digest, size):
        self.entries = [e for e in self.entries if e["annotations"]["org.opencontainers.image.ref.name"] != name]
        self.entries.append({"mediaType": media_type, "digest": digest, "size": size,
                             "annotations": {"org.opencontainers.image.ref.name": name}})
        with open(self.index_path + ".new", "wb") as f:
            f.write(dump({"schemaVersion": 2, "manifests": self.entries}))
        os.rename(self.index_path + ".new", self.index_path)

    def find(self, name, reference):
        """The descriptor and bytes of a manifest, by tag or digest; None if there is none."""
        digest, media_type = None, None
        if ":" in reference:
            digest = reference
        short = re.sub(r"^(docker\.io/)?(library/)?", "", name)
        for entry in self.entries:
            known = re.sub(r"^(docker\.io/)?(library/)?", "", entry["annotations"]["org.opencontainers.image.ref.name"])
            if known == short + ":" + reference or entry["digest"] == digest:
                digest, media_type = entry["digest"], entry["mediaType"]
        path = self.blob_path(digest) if digest else None
        if not path or not os.path.exists(path):
            return None
        with open(path, "rb") as f:
            data = f.read()
        if not media_type:
            try:
                media_type = json.loads(data)["mediaType"]
            except (ValueError, KeyError, TypeError):
                media_type = MEDIA["oci"]["manifest"]
        return media_type, digest, data


def manifest_of(layout, config, layers, media):
    """Stores config and manifest documents; returns the manifest's bytes."""
    names = MEDIA[media]
    config_digest = layout.put(config)
    return dump({"schemaVersion": 2, "mediaType": names["manifest"],
                 "config": {"mediaType": names["config"], "digest": config_digest, "size": len(config)},
                 "layers": layers})


def config_of(run, diff_ids, architecture=None, os_name="linux"):
    return {"created": CREATED, "architecture": architecture or machine(), "os": os_name, "config": run,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": [{"created": CREATED, "created_by": "winch test images"} for _ in diff_ids]}


def make_image(args):
    """An honest image of packed layers; with --decoy an index in front that also offers another architecture."""
    layout = Layout(args.layout)
    layers, diff_ids = [], []
    for path in args.layer:
        with open(path + ".json", encoding="ascii") as f:
            facts = json.load(f)
        layout.put_file(path, facts["digest"])
        layers.append({"mediaType": MEDIA["oci"]["gzip"], "digest": facts["digest"], "size": facts["size"]})
        diff_ids.append(facts["diff_id"])
    run = json.loads(args.config)
    manifest = manifest_of(layout, dump(config_of(run, diff_ids)), layers, "oci")
    digest, kind = layout.put(manifest), MEDIA["oci"]["manifest"]
    if args.decoy:
        other = manifest_of(layout, dump(config_of(run, diff_ids[:1], args.decoy)), layers[:1], "oci")
        platforms = [{"architecture": args.decoy, "os": "linux"}, {"architecture": machine(), "os": "linux"}]
        if args.decoy in ("arm64", "arm"):
            platforms[0]["variant"] = "v8" if args.decoy == "arm64" else "v7"
        index = dump({"schemaVersion": 2, "mediaType": MEDIA["oci"]["index"], "manifests": [
            {"mediaType": kind, "digest": layout.put(data), "size": len(data), "platform": platform}
            for data, platform in zip((other, manifest), platforms)]})
        digest, kind, manifest = layout.put(index), MEDIA["oci"]["index"], index
    repository, _, tag = args.name.rpartition(":")
    for one in [tag] + args.tag:
        layout.name(repository + ":" + one, kind, digest, len(manifest))


# --- lying layers ----------------------------------------------------------------------------------------------------

TYPEFLAGS = {"file": "0", "hardlink": "1", "symlink": "2", "char": "3", "block": "4", "dir": "5", "fifo": "6"}


def octal(value, width):
    """A tar number; what does not fit is written in base 256."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return bytes([0x80 if value >= 0 else 0xff]) + value.to_bytes(width - 1, "big", signed=value < 0)


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def header(entry, data_size):
    if "header_hex" in entry:
        return bytes.fromhex(entry["header_hex"]).ljust(512, b"\0")
    flag = TYPEFLAGS.get(entry.get("type", "file"), entry.get("type", "0"))
    mode = entry.get("mode", 0o755 if flag == "5" else 0o644)
    block = b"".join([
        as_bytes(entry.get("name", ""))[:100].ljust(100, b"\0"),
        octal(int(mode, 8) if isinstance(mode, str) else mode, 8),
        octal(entry.get("uid", 0), 8), octal(entry.get("gid", 0), 8),
        octal(entry.get("size", data_size), 12), octal(entry.get("mtime", 1767225600), 12),
        b" " * 8, as_bytes(flag)[:1], as_bytes(entry.get("link", ""))[:100].ljust(100, b"\0"),
        as_bytes(entry.get("magic", "ustar\0" + "00"))[:8].ljust(8, b"\0"),
        as_bytes(entry.get("uname", ""))[:32].ljust(32, b"\0"), as_bytes(entry.get("gname", ""))[:32].ljust(32, b"\0"),
        octal(entry.get("major", 0), 8), octal(entry.get("minor", 0), 8),
        as_bytes(entry.get("prefix", ""))[:155].ljust(155, b"\0"), b"\0" * 12])
    total = entry.get("checksum", sum(block))
    return block[:148] + b"%06o\0 " % (total & 0o777777) + block[156:]


def pax_record(key, value):
    body = as_bytes(" " + key + "=") + as_bytes(value) + b"\n"
    size = len(body) + 1
    while len(b"%d" % size) + len(body) != size:
        size = len(b"%d" % size) + len(body)
    return b"%d" % size + body


def padded(data):
    return data + b"\0" * (-len(data) % 512)


def tar_entry(entry):
    if "data_hex" in entry:
        data = bytes.fromhex(entry["data_hex"])
    elif "data_file" in entry:
        with open(entry["data_file"], "rb") as f:
            data = f.read()
    else:
        data = as_bytes(entry.get("data", "")) + b"\0" * entry.get("fill", 0)
    out = b""
    pax = dict(entry.get("pax", {}))
    if "header_hex" not in entry:
        if len(as_bytes(entry.get("name", ""))) > 100:
            pax.setdefault("path", entry["name"])
        if len(as_bytes(entry.get("link", ""))) > 100:
            pax.setdefault("linkpath", entry["link"])
    if pax:
        records = b"".join(pax_record(k, v) for k, v in pax.items())
        out += header({"name": "PaxHeaders/x", "type": "x"}, len(records)) + padded(records)
    return out + header(entry, len(data)) + padded(data)


def compressed(data, how):
    if how == "gzip":
        return gzip.compress(data, 6, mtime=0)
    if how == "xz":
        return lzma.compress(data)
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


def make_layer(layout, layer, media):
    tar = b"".join(tar_entry(e) for e in layer.get("entries", []))
    if layer.get("trailer", True):
        tar += b"\0" * 1024
    how = layer.get("compress", "gzip")
    blob = bytes.fromhex(layer["raw"]) if "raw" in layer else compressed(tar, how)
    true_digest, true_size = sha256(blob), len(blob)
    if "truncate" in layer:
        blob = blob[:max(0, len(blob) - layer["truncate"])]
    if "flip" in layer:
        at = layer["flip"] % len(blob)
        blob = blob[:at] + bytes([blob[at] ^ 0xff]) + blob[at + 1:]
    digest = layer.get("digest", true_digest)
    layout.put(blob, digest)
    return ({"mediaType": layer.get("media_type", MEDIA[media][how]), "digest": digest,
             "size": layer.get("size", true_size)}, layer.get("diff_id", sha256(tar)))


def make_recipe(layout, recipe):
    for image in recipe["images"]:
        media = image.get("media", "oci")
        made = [make_layer(layout, layer, media) for layer in image.get("layers", [])]
        config = config_of(image.get("config", {}), [d for _, d in made], image.get("architecture"),
                           image.get("os", "linux"))
        config.update(image.get("config_patch", {}))
        config_bytes = as_bytes(image["config_raw"]) if "config_raw" in image else dump(config)
        manifest = manifest_of(layout, config_bytes, [d for d, _ in made], media)
        if "manifest_patch" in image:
            manifest = dump({**json.loads(manifest), **image["manifest_patch"]})
        if "manifest_raw" in image:
            manifest = as_bytes(image["manifest_raw"])
        digest, kind, data = layout.put(manifest), MEDIA[media]["manifest"], manifest
        if "index" in image:
            data = dump({"schemaVersion": 2, "mediaType": MEDIA[media]["index"], "manifests": [
                {"mediaType": kind, "digest": digest, "size": len(manifest), "platform": p} for p in image["index"]]})
            digest, kind = layout.put(data), MEDIA[media]["index"]
        layout.name(image["name"], kind, digest, len(data))


# --- push ------------------------------------------------------------------------------------------------------------

class Pusher:
    def __init__(self, layout, registry):
        self.layout = layout
        self.link = http.client.HTTPConnection(registry, timeout=60)
        self.pushed = set()

    def call(self, method, path, body=None, headers=None, expect=(200, 201, 202)):
        self.link.request(method, path, body, headers or {})
        answer = self.link.getresponse()
        data = answer.read()
        if answer.status not in expect:
            raise SystemExit(f"imagekit: {method} {path}: {answer.status} {data[:300]!r}")
        return answer

    def blob(self, repository, digest):
        if (repository, digest) in self.pushed:
            return
        self.pushed.add((repository, digest))
        if self.call("HEAD", f"/v2/{repository}/blobs/{digest}", expect=(200, 404)).status == 200:
            return
        where = urllib.parse.urlsplit(self.call("POST", f"/v2/{repository}/blobs/uploads/").getheader("Location"))
        query = (where.query + "&" if where.query else "") + "digest=" + urllib.parse.quote(digest)
        path = self.layout.blob_path(digest)
        with open(path, "rb") as f:
            self.call("PUT", where.path + "?" + query, f, {"Content-Length": str(os.path.getsize(path)),
                                                           "Content-Type": "application/octet-stream"})

    def manifest(self, repository, reference, digest, media_type):
        with open(self.layout.blob_path(digest), "rb") as f:
            data = f.read()
        document = json.loads(data)
        for child in document.get("manifests", []):
            self.manifest(repository, child["digest"], child["digest"], child["mediaType"])
        for part in document.get("layers", []) + ([document["config"]] if "config" in document else []):
            self.blob(repository, part["digest"])
        self.call("PUT", f"/v2/{repository}/manifests/{reference}", data, {"Content-Type": media_type})


def push(args):
    layout = Layout(args.layout)
    pusher = Pusher(layout, args.registry)
    for entry in layout.entries:
        name = entry["annotations"]["org.opencontainers.image.ref.name"]
        if args.names and name not in args.names:
            continue
        repository, _, tag = name.rpartition(":")
        pusher.manifest(repository, tag, entry["digest"], entry["mediaType"])


# --- the misbehaving registry ----------------------------------------------------------------------------------------

class Script:
    """Rules and how often each was used."""

    def __init__(self, path):
        self.rules, self.lock = [], threading.Lock()
        if path:
            with open(path, encoding="utf-8") as f:
                self.rules = json.load(f)

    def take(self, line, headers):
        with self.lock:
            for rule in self.rules:
                if rule.get("do") == "unauthorized" and "Authorization" in headers:
                    continue
                if rule.get("times", 1 << 60) > 0 and re.search(rule["match"], line):
                    rule["times"] = rule.get("times", 1 << 60) - 1
                    return rule
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "imagekit"
    layout = script = log = None
    log_lock = threading.Lock()

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def record(self):
        if self.log:
            with self.log_lock:
                self.log.write(json.dumps({"time": time.time(), "method": self.command, "path": self.path,
                                           "headers": list(self.headers.items())}) + "\n")
                self.log.flush()

    def reply(self, status, body=b"", headers=None, length=True):
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def honest(self):
        """What a truthful registry would answer: status, headers, body."""
        path = urllib.parse.urlsplit(self.path).path
        if path in ("/v2", "/v2/"):
            return 200, {"Docker-Distribution-Api-Version": "registry/2.0"}, b"{}"
        found = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/]+)", path)
        if found and found[2] == "manifests":
            known = self.layout.find(found[1], urllib.parse.unquote(found[3]))
            if known:
                return 200, {"Content-Type": known[0], "Docker-Content-Digest": known[1]}, known[2]
        elif found:
            blob = self.layout.blob_path(urllib.parse.unquote(found[3]))
            if blob and os.path.exists(blob):
                with open(blob, "rb") as f:
                    data = f.read()
                headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": found[3],
                           "Accept-Ranges": "bytes"}
                part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                if part and int(part[1]) < len(data):
                    first, last = int(part[1]), int(part[2] or len(data) - 1)
                    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
                    return 206, headers, data[first:last + 1]
                return 200, headers, data
        code = "MANIFEST_UNKNOWN" if found and found[2] == "manifests" else "BLOB_UNKNOWN"
        return 404, {"Content-Type": "application/json"}, dump({"errors": [{"code": code, "message": "unknown"}]})

    def do_GET(self):  # pylint: disable=invalid-name
        self.record()
        rule = self.script.take(f"{self.command} {self.path}", self.headers)
        status, headers, body = self.honest()
        if not rule:
            self.reply(status, body, headers)
            return
        misbehave = getattr(self, "rule_" + rule["do"].replace("-", "_"))
        misbehave(rule, status, headers, body)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def head(self, status, headers, length=None):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.close_connection = True

    def send_part(self, status, headers, body, at):
        self.head(status, headers, len(body))
        self.wfile.write(body[:at])
        self.wfile.flush()

    def rule_delay(self, rule, status, headers, body):
        time.sleep(rule.get("seconds", 1))
        self.reply(status, body, headers)

    def rule_flip(self, rule, status, headers, body):
        at = rule.get("at", len(body) // 2)
        self.reply(status, body[:at] + bytes([body[at] ^ 1]) + body[at + 1:], headers)

    def rule_swap(self, rule, status, headers, _body):
        with open(rule["file"], "rb") as f:
            self.reply(status, f.read(), headers)

    def rule_truncate(self, rule, status, headers, body):
        self.send_part(status, headers, body, rule.get("at", len(body) // 2))

    def rule_stall(self, rule, status, headers, body):
        self.send_part(status, headers, body, rule.get("at", len(body) // 2))
        time.sleep(rule.get("seconds", 3600))

    def rule_drip(self, rule, status, headers, body):
        self.head(status, headers, len(body))
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(rule.get("seconds", 1))

    def rule_reset(self, _rule, _status, _headers, _body):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def rule_redirect(self, rule, _status, headers, _body):
        to = rule["to"].replace("{digest}", headers.get("Docker-Content-Digest", "")).replace("{path}", self.path)
        self.reply(rule.get("code", 307), b"", {"Location": to})

    def rule_status(self, rule, _status, _headers, _body):
        self.reply(rule["code"], as_bytes(rule.get("body", "")), rule.get("headers", {}))

    def rule_unauthorized(self, rule, _status, _headers, _body):
        realm = rule.get("realm", f"http://{self.headers.get('Host')}/token")
        challenge = f'Bearer realm="{realm}",service="{rule.get("service", "imagekit")}"'
        if "scope" in rule:
            challenge += f',scope="{rule["scope"]}"'
        self.reply(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {"WWW-Authenticate": rule.get("challenge", challenge)})

    def rule_token(self, rule, _status, _headers, _body):
        self.reply(200, dump({"token": rule.get("token", "t0ken"), "expires_in": 300}),
                   {"Content-Type": "application/json"})

    def rule_ratelimit(self, rule, _status, _headers, _body):
        self.reply(429, b'{"errors":[{"code":"TOOMANYREQUESTS"}]}', {"Retry-After": str(rule.get("retry_after", 1))})

    def rule_nolength(self, _rule, status, headers, body):
        self.wfile.write(f"HTTP/1.0 {status} OK\r\n".encode())
        self.wfile.write("".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n")
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = True

    def rule_badlength(self, rule, status, headers, body):
        self.head(status, headers, max(0, len(body) + rule.get("by", -1)))
        self.wfile.write(body)

    def rule_chunked(self, _rule, status, headers, body):
        self.head(status, {**headers, "Transfer-Encoding": "chunked"})
        for at in range(0, len(body), 4096):
            piece = body[at:at + 4096]
            self.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def rule_endless(self, _rule, status, headers, body):
        self.head(status, {**headers, "Transfer-Encoding": "chunked"})
        piece = (body or b"\0") * (65536 // max(1, len(body)) + 1)
        while True:
            self.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")

    def rule_digest(self, rule, status, headers, body):
        self.reply(status, body, {**headers, "Docker-Content-Digest": rule.get("claim", "sha256:" + "0" * 64)})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(request, client_address)


def serve(args):
    Handler.layout, Handler.script = Layout(args.dir), Script(args.script)
    if args.log:
        Handler.log = open(args.log, "a", encoding="utf-8")  # pylint: disable=consider-using-with
    server = Server(("127.0.0.1", args.port), Handler)
    with open(args.port_file + ".new", "w", encoding="ascii") as f:
        f.write(f"{server.server_address[1]}\n")
    os.rename(args.port_file + ".new", args.port_file)
    server.serve_forever()


def main():
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = top.add_subparsers(dest="verb", required=True)
    p = verbs.add_parser("layer")
    p.add_argument("--root", required=True)
    p.add_argument("--parent")
    p.add_argument("-o", dest="out", required=True)
    p = verbs.add_parser("image")
    p.add_argument("--layout", required=True)
    p.add_argument("--name", required=True)
    p.add_argument("--tag", action="append", default=[])
    p.add_argument("--layer", action="append", default=[])
    p.add_argument("--config", default="{}")
    p.add_argument("--decoy")
    p = verbs.add_parser("make")
    p.add_argument("recipe")
    p.add_argument("--layout", required=True)
    p = verbs.add_parser("push")
    p.add_argument("--layout", required=True)
    p.add_argument("--registry", required=True)
    p.add_argument("names", nargs="*")
    p = verbs.add_parser("serve")
    p.add_argument("--dir", required=True)
    p.add_argument("--script")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--port-file", required=True)
    p.add_argument("--log")
    args = top.parse_args()
    if args.verb == "layer":
        pack_root(args.root, args.parent, args.out)
    elif args.verb == "image":
        make_image(args)
    elif args.verb == "make":
        with open(args.recipe, encoding="utf-8") if args.recipe != "-" else sys.stdin as f:
            make_recipe(Layout(args.layout), json.load(f))
    elif args.verb == "push":
        push(args)
    else:
        serve(args)


if __name__ == "__main__":
    main()
