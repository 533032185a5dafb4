// The clients for Node.js: each reads one streamed answer as its documentation shows.
//
// Reads lines of JSON, {client, url, id}, and answers each with a line {id, text, calls, errors, odd} once it has ended.
// `--versions` prints the version of each client's package. The packages are those of the folder in NODE_CLIENTS.
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const folder = path.resolve(process.env.NODE_CLIENTS);
const require = createRequire(path.join(folder, "x.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const TOOL = "get_weather";
const messages = [{ role: "user", content: "Hi" }];
const CLIENTS = {};
const client = (name, module, dialect, read) => { CLIENTS[name] = { package: module, dialect, read }; };

// openai

const openai = async (url) => new (await load("openai")).default({ apiKey: "none", baseURL: url + "/v1" });

client("openai (Node)", "openai", "openai-chat", async (url, seen) => {
  const create = await (await openai(url)).chat.completions.create({ model: "gpt-x", messages, stream: true });
  for await (const chunk of create) {
    const delta = chunk.choices?.[0]?.delta;
    seen.say(delta?.content);
    for (const call of delta?.tool_calls ?? []) seen.piece(call.index, call.function?.name, call.function?.arguments);
  }
});

client("openai stream helper (Node)", "openai", "openai-chat", async (url, seen) => {
  const stream = (await openai(url)).chat.completions.stream({ model: "gpt-x", messages });
  stream.on("content", (text) => seen.say(text));
  const completion = await stream.finalChatCompletion();
  for (const call of completion.choices[0].message.tool_calls ?? []) seen.call(call.function.name, call.function.arguments);
});

client("openai responses (Node)", "openai", "openai-responses", async (url, seen) => {
  const names = {};
  for await (const event of await (await openai(url)).responses.create({ model: "gpt-x", input: "Hi", stream: true })) {
    if (event.type === "response.output_text.delta") seen.say(event.delta);
    if (event.type === "response.output_item.added") names[event.item.id] = event.item.name;
    if (event.type === "response.function_call_arguments.done") seen.call(names[event.item_id], event.arguments);
  }
});

// @anthropic-ai/sdk

const anthropic = async (url) => new (await load("@anthropic-ai/sdk")).default({ apiKey: "none", baseURL: url });
const question = { model: "claude-x", max_tokens: 10, messages };

client("anthropic (Node)", "@anthropic-ai/sdk", "anthropic", async (url, seen) => {
  let blocks = 0;
  for await (const event of await (await anthropic(url)).messages.create({ ...question, stream: true })) {
    if (event.type === "content_block_start") {
      blocks += 1;
      if (event.content_block.type === "tool_use") seen.piece(blocks, event.content_block.name, "");
    }
    if (event.type === "content_block_delta") {
      seen.say(event.delta.text);
      if (event.delta.partial_json) seen.piece(blocks, "", event.delta.partial_json);
    }
  }
});

client("anthropic stream helper (Node)", "@anthropic-ai/sdk", "anthropic", async (url, seen) => {
  const stream = (await anthropic(url)).messages.stream(question);
  stream.on("text", (text) => seen.say(text));
  for (const block of (await stream.finalMessage()).content) if (block.type === "tool_use") seen.call(block.name, block.input);
});

// ai, with its providers

const ai = (make) => async (url, seen) => {
  const { streamText, tool } = await load("ai");
  const { z } = await load("zod");
  const weather = tool({ description: "Weather", inputSchema: z.object({ city: z.string() }) });
  const result = streamText({ model: await make(url), prompt: "Hi", tools: { [TOOL]: weather }, onError: () => {} });
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") seen.say(part.text);
    if (part.type === "tool-call") seen.call(part.toolName, part.input);
    if (part.type === "error") seen.fail(part.error);
  }
};

const openaiOfAI = async (url) => (await load("@ai-sdk/openai")).createOpenAI({ apiKey: "none", baseURL: url + "/v1" });
client("ai openai-compatible", "@ai-sdk/openai-compatible", "openai-chat", ai(async (url) => {
  const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
  return createOpenAICompatible({ name: "x", apiKey: "none", baseURL: url + "/v1" })("gpt-x");
}));
client("ai openai chat", "@ai-sdk/openai", "openai-chat", ai(async (url) => (await openaiOfAI(url)).chat("gpt-4o")));
client("ai openai responses", "@ai-sdk/openai", "openai-responses", ai(async (url) => (await openaiOfAI(url))("gpt-4o")));
client("ai anthropic", "@ai-sdk/anthropic", "anthropic", ai(async (url) =>
  (await load("@ai-sdk/anthropic")).createAnthropic({ apiKey: "none", baseURL: url + "/v1" })("claude-x")));
client("ai google", "@ai-sdk/google", "gemini", ai(async (url) =>
  (await load("@ai-sdk/google")).createGoogleGenerativeAI({ apiKey: "none", baseURL: url + "/v1beta" })("gemini-x")));

// The others

client("langchain openai (Node)", "@langchain/openai", "openai-chat", async (url, seen) => {
  const { ChatOpenAI } = await load("@langchain/openai");
  const model = new ChatOpenAI({ model: "gpt-x", apiKey: "none", configuration: { baseURL: url + "/v1" } });
  let whole;
  for await (const chunk of await model.stream("Hi")) {
    seen.say(chunk.content);
    whole = whole ? whole.concat(chunk) : chunk;
  }
  for (const call of [...(whole?.tool_calls ?? []), ...(whole?.invalid_tool_calls ?? [])]) seen.call(call.name, call.args);
});

client("google-genai (Node)", "@google/genai", "gemini", async (url, seen) => {
  const { GoogleGenAI } = await load("@google/genai");
  const google = new GoogleGenAI({ apiKey: "none", httpOptions: { baseUrl: url } });
  for await (const chunk of await google.models.generateContentStream({ model: "gemini-x", contents: "Hi" })) {
    for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
      seen.say(part.text);
      if (part.functionCall) seen.call(part.functionCall.name, part.functionCall.args);
    }
  }
});

client("ollama (Node)", "ollama", "ollama", async (url, seen) => {
  const { Ollama } = await load("ollama");
  for await (const part of await new Ollama({ host: url }).chat({ model: "llama-x", messages, stream: true })) {
    seen.say(part.message?.content);
    for (const call of part.message?.tool_calls ?? []) seen.call(call.function.name, call.function.arguments);
  }
});

// What a page does with a message of a chat stream: it counts on JSON, but for the sentinel.
function take(data, seen) {
  if (data === "") return seen.odd.push("empty-event");
  const chunk = JSON.parse(data);
  if (chunk.error) seen.fail({ name: "message", message: JSON.stringify(chunk.error) });
  const delta = chunk.choices?.[0]?.delta;
  seen.say(delta?.content);
  for (const call of delta?.tool_calls ?? []) seen.piece(call.index, call.function?.name, call.function?.arguments);
}

client("eventsource", "eventsource", "openai-chat", async (url, seen) => {
  const { EventSource } = await load("eventsource");
  await new Promise((done) => {
    const source = new EventSource(url + "/v1/chat/completions");
    const end = () => { source.close(); done(); };
    source.onmessage = (event) => {
      if (event.data === "[DONE]") return end();
      try { take(event.data, seen); } catch (error) { seen.fail(error); }
      if (seen.errors.length) end();
    };
    // It would ask again; an event named "error" comes here, too, in browsers.
    source.onerror = (event) => { seen.fail({ name: "onerror", message: event.data ?? event.message ?? "" }); end(); };
  });
});

client("fetch-event-source", "@microsoft/fetch-event-source", "openai-chat", async (url, seen) => {
  globalThis.window ??= { fetch, setTimeout, clearTimeout };
  globalThis.document ??= { hidden: false, addEventListener() {}, removeEventListener() {} };
  const { fetchEventSource } = await load("@microsoft/fetch-event-source");
  const left = new AbortController();
  const patience = setTimeout(() => left.abort(), 3500); // it asks again for ever, once a second
  const init = { method: "POST", body: "{}", headers: { "content-type": "application/json" }, signal: left.signal };
  await fetchEventSource(url + "/v1/chat/completions", {
    ...init,
    onmessage: (message) => { if (message.data !== "[DONE]") take(message.data, seen); },
    onerror: (error) => { seen.fail(error); },
  });
  clearTimeout(patience);
});

// Loops as they are written by hand, over lines and over blocks

const loop = (end, pick) => async (url, seen) => {
  const response = await fetch(url + "/v1/chat/completions", { method: "POST", body: "{}" });
  let buffer = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const pieces = (buffer + chunk).split(end);
    buffer = pieces.pop();
    for (const data of pieces.map(pick).filter(Boolean)) if (data !== "[DONE]") take(data, seen);
  }
};
const after = (piece) => (piece.startsWith("data: ") ? piece.slice(6) : "");

client("a loop over lines", "", "openai-chat", loop("\n", after));
client("a loop over blocks", "", "openai-chat", loop("\n\n", after));

// One run

class Seen {
  text = "";
  calls = {};
  errors = [];
  odd = [];
  say(text) { if (typeof text === "string") this.text += text; }
  piece(key, name, args) {
    const call = (this.calls[key] ??= ["", ""]);
    call[0] += name ?? "";
    call[1] += args ?? "";
  }
  call(name, args) { this.calls["call " + Object.keys(this.calls).length] = [name, typeof args === "string" ? args : JSON.stringify(args)]; }
  fail(error) {
    const words = [];
    for (let cause = error; cause && words.length < 4; cause = cause.cause ?? cause.lastError) {
      words.push(cause.message ?? JSON.stringify(cause));
    }
    this.errors.push([error?.name ?? error?.constructor?.name ?? typeof error, words.join(" | ")]);
  }
}

const version = (name) => name && JSON.parse(fs.readFileSync(path.join(folder, "node_modules", name, "package.json"))).version;
process.on("unhandledRejection", () => {}); // of promises beside the one that is read; the run tells the error, too

if (process.argv.includes("--versions")) {
  const told = Object.entries(CLIENTS).map(([name, { package: of, dialect }]) => [name, { package: of, dialect, version: version(of) }]);
  console.log(JSON.stringify(Object.fromEntries(told)));
} else {
  const write = console.log;
  console.log = console.info = console.warn = console.error = () => {};
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { id, client: name, url } = JSON.parse(line);
    const seen = new Seen();
    CLIENTS[name].read(url, seen).catch((error) => seen.fail(error)).then(() => write(JSON.stringify({ id, ...seen })));
  }
}
