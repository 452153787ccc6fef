"""The server in the tests' image for figures: one thread, as little work a request as can be."""

import os
import select
import socket

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
END = b"\r\n\r\n"


def main():
    listener = socket.create_server(("", int(os.environ["PORT"])), backlog=512)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    connections = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
                continue
            try:
                data = connections[number].recv(65536)
            except ConnectionResetError:
                data = b""
            if data:
                connections[number].sendall(ANSWER * data.count(END))
            else:
                connections.pop(number).close()


main()
