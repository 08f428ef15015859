const { version } = require('./package.json')
const greeting = () => `node service ${version} in ${process.env.NODE_ENV}\n`
