// npm's resumable-stream by its idempotent API, as its README has it. It speaks the lines of worker.py.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [, , folder, port] = process.argv;
const require = createRequire(`${folder}/`);
process.env.REDIS_URL = `redis://127.0.0.1:${port}`;
const { createResumableStreamContext } = require("resumable-stream");

const SECRET = "the secret of an exception";
const tell = (what) => process.stdout.write(JSON.stringify({ at: Date.now() / 1000, ...what }) + "\n");
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const token = (number) => `data: {"choices":[{"index":0,"delta":{"content":"${number} "}}]}\n\n`;

// A server that goes on where nobody handles a rejection or an error; Node.js alone would end the process.
process.on("unhandledRejection", () => {});
process.on("uncaughtException", (error) => tell({ what: "uncaught", text: String(error) }));

// It notices that a producer has ended after two of these; by default each takes ten seconds.
const context = createResumableStreamContext({ waitUntil: () => {}, doneWatchdogIntervalMs: 1000 });

const upstream = (id, ending, pace) => () => {
  async function* frames() {
    tell({ what: "opened", id });
    try {
      for (let number = 0; number < 10 || ending === "endless"; number++) {
        yield token(number);
        await sleep(pace);
      }
      if (ending === "raises") throw new Error(SECRET);
      if (ending === "silent") await sleep(3600);
      yield "data: [DONE]\n\n";
    } finally {
      tell({ what: "closed", id });
    }
  }
  return ReadableStream.from(frames());
};

const readers = new Map();

async function read(name, opening) {
  try {
    const stream = await opening;
    if (!stream) return tell({ what: "end", reader: name, how: "refused" });
    tell({ what: "reading", reader: name });
    const reader = stream.getReader();
    readers.set(name, reader);
    for (;;) {
      const { done, value } = await reader.read();
      if (!readers.has(name)) return;
      if (done) break;
      tell({ what: "piece", reader: name, text: value });
    }
    tell({ what: "end", reader: name, how: "clean" });
  } catch (error) {
    tell({ what: "end", reader: name, how: "raised", text: String(error) });
  }
}

await sleep(0.2);
tell({ what: "ready", can_stop: false });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.at) await sleep(Math.max(0, command.at - Date.now() / 1000));
  if (command.do === "start") {
    command.ids.forEach((id, place) => {
      read(command.readers[place], context.resumableStream(id, upstream(id, command.ending, command.pace)));
    });
  } else if (command.do === "follow") {
    const seen = command.seen ? command.seen.characters : undefined;
    read(command.reader, context.resumeExistingStream(command.id, seen));
  } else if (command.do === "leave") {
    const reader = readers.get(command.reader);
    readers.delete(command.reader);
    reader.cancel();
  }
}
process.exit();
