require('node:http')
  .createServer((request, response) => response.end(greeting()))
  .listen(8080)
process.on('SIGTERM', () => process.exit(0))
