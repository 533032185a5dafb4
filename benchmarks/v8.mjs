// Times eventsource-parser on V8: commands come in as JSON lines, nanoseconds go out.
//
// From bytes, as in Python: the streaming TextDecoder is part of what is timed.
import { readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { createParser } from 'eventsource-parser'

let streams = []

function load({ body, sizes }) {
  const bytes = readFileSync(body)
  let at = 0
  streams = sizes.map((stream) => stream.map((size) => bytes.subarray(at, (at += size))))
}

function read(onEvent) {
  for (const chunks of streams) {
    const decoder = new TextDecoder()
    const parser = createParser({ onEvent })
    for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }))
  }
}

// Wall time waits for the processor, processor time counts V8's helper threads: the kinder of both.
function pass() {
  let events = 0
  const cpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  read(() => { events += 1 })
  const wall = Number(process.hrtime.bigint() - start)
  const { user, system } = process.cpuUsage(cpu)
  return { ns: Math.min(wall, (user + system) * 1000), events }
}

function payloads() {
  let events = 0
  const hash = createHash('sha256')
  read((event) => { events += 1; hash.update(event.data + '\n') })
  return { events, sha256: hash.digest('hex') }
}

const answers = { load, pass, payloads }
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  process.stdout.write(JSON.stringify(answers[command.do](command) ?? {}) + '\n')
}
