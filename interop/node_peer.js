// npm's `coap` at our side of the tests: `node_peer.js FOLDER server`, or `node_peer.js FOLDER METHOD URI [WORDS]`.
// FOLDER holds node_modules. WORDS: body FILE, block OCTETS, observe COUNT. Prints for each answer a line of JSON.
'use strict'
const fs = require('fs')
const path = require('path')
const [folder, what, uri, ...words] = process.argv.slice(2)
const coap = require(path.join(folder, 'node_modules', 'coap'))

function after (name) {
  const at = words.indexOf(name)
  return at < 0 ? undefined : words[at + 1]
}

function say (response) {
  process.stdout.write(JSON.stringify({ code: response.code, payload: response.payload.toString('latin1') }) + '\n')
}

function serve () {
  const large = Buffer.from(Array.from({ length: 200 }, (_, i) => `node ${i}\n`).join(''))
  let stored = Buffer.from('nothing yet')
  const server = coap.createServer((request, response) => {
    const [, name] = request.url.split('/')
    if (name === 'hello') return response.end('hello from node')
    if (name === 'large') return response.end(large)
    if (name === 'stored' && request.method === 'PUT') {
      stored = Buffer.from(request.payload)
      response.code = '2.04'
      return response.end()
    }
    if (name === 'stored') return response.end(stored)
    if (name === 'separate') return setTimeout(() => response.end('late'), 1500)
    if (name === 'ticks' && request.headers.Observe === 0) {
      let count = 0
      response.write(`tick ${count}`)
      const timer = setInterval(() => response.write(`tick ${++count}`), 300)
      return response.on('finish', () => clearInterval(timer))
    }
    response.code = '4.04'
    response.end()
  })
  server.listen(0, '127.0.0.1', () => process.stdout.write(`ready ${server._port || server._sock.address().port}\n`))
  process.stdin.on('end', () => process.exit(0)).resume()
}

function ask () {
  const target = new URL(uri)
  const count = Number(after('observe') || 0)
  const request = coap.request({
    hostname: target.hostname,
    port: Number(target.port),
    pathname: target.pathname,
    query: target.search.slice(1),
    method: what.toUpperCase(),
    observe: count > 0
  })
  const body = after('body')
  if (body) request.setOption('Block1', Buffer.of(6)) // only then it sends in blocks
  const block = after('block')
  if (block) request.setOption('Block2', Buffer.of(Math.log2(Number(block)) - 4))
  request.on('response', (response) => {
    if (count === 0) {
      say(response)
      return process.exit(0)
    }
    let left = count
    response.on('data', (data) => {
      say({ code: response.code, payload: data })
      if (--left === 0) {
        response.close()
        setTimeout(() => process.exit(0), 200)
      }
    })
  })
  request.on('error', (error) => {
    process.stderr.write(`${error}\n`)
    process.exit(1)
  })
  request.end(body ? fs.readFileSync(body) : undefined)
}

if (what === 'server') serve()
else ask()
