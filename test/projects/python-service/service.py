import socket

port = int(open('settings.ini').read().split('=')[1])
server = socket.create_server(('0.0.0.0', port))
text = open('greeting').read() + open('data/made').read()
try:
    while True:
        connection, _ = server.accept()
        connection.recv(4096)
        connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n' + text.encode())
        connection.close()
except KeyboardInterrupt:
    pass
