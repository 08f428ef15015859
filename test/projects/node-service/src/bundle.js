// A bundler of one line: the parts behind each other.
const { readFileSync } = require('node:fs')
for (const part of ['greeting.js', 'main.js']) process.stdout.write(readFileSync(`${__dirname}/${part}`, 'utf8'))
