"""Opens COUNT keep-alive connections to 127.0.0.1:PORT, sends one request on each, reads the answer, says `open` on its
standard output and holds them until its standard input ends. With a certificate file as third argument it speaks TLS."""
import resource
import socket
import ssl
import sys

count, port = int(sys.argv[1]), int(sys.argv[2])
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
context = ssl.create_default_context(cafile=sys.argv[3]) if len(sys.argv) > 3 else None
held = []
for _ in range(count):
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    if context:
        connection = context.wrap_socket(connection, server_hostname="localhost")
    connection.sendall(b"GET /users/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, body = b"", b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65536)
        if not piece:
            sys.exit("the connection ended before the answer did: " + repr(head))
        head += piece
    head, body = head.split(b"\r\n\r\n", 1)
    lines = head.lower().split(b"\r\n")
    if b" 200 " not in lines[0]:
        sys.exit("not 200: " + repr(head))
    length = int(next(line.split(b":")[1] for line in lines if line.startswith(b"content-length:")))
    while len(body) < length:
        body += connection.recv(65536)
    held.append(connection)
print("open", flush=True)
sys.stdin.read()
