# SPDX-License-Identifier: Apache-2.0
"""ask.py HOST:PORT PATH - one request in the uwsgi protocol; exit 0 if the answer's status is 200."""
import socket
import struct
import sys

host, port = sys.argv[1].split(":")
names = {"REQUEST_METHOD": "GET", "PATH_INFO": sys.argv[2], "REQUEST_URI": sys.argv[2], "QUERY_STRING": "",
         "SERVER_PROTOCOL": "HTTP/1.0", "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost"}
body = b"".join(struct.pack("<H", len(x)) + x.encode() for pair in names.items() for x in pair)
try:
    with socket.create_connection((host, int(port)), 4) as link:
        link.sendall(struct.pack("<BHB", 0, len(body), 0) + body)
        answer = link.makefile("rb").read()
except OSError as error:
    sys.exit(f"ask.py: {error}")
print(answer.decode(errors="replace").splitlines()[0] if answer else "no answer")
sys.exit(0 if b" 200 " in answer.split(b"\r\n")[0] else 1)
