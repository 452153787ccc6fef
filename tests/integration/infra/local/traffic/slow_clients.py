"""Run as a script: so many clients that send a byte of a head now and then. Arguments: port, how many.

Says "there" when all are connected, and lives until its standard input ends.
"""

import resource
import select
import socket
import sys


def main(port, number):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = []
    for _ in range(number):
        client = socket.create_connection(("127.0.0.1", port), 30)
        client.send(b"GET / HTTP/1.1\r\nHost: web.localhost\r\nX-Slow: ")
        clients.append(client)
    print("there", flush=True)
    while not select.select([sys.stdin], [], [], 0.2)[0]:
        for client in clients:
            client.send(b"a")


main(int(sys.argv[1]), int(sys.argv[2]))
