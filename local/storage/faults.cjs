"use strict";
/*
 * Breaks calls to Azurite by rule, inside its own process: nothing lies between a client and the storage, and an unbroken
 * call costs nothing. Rules and fields are those of azureml_box/faults (checked there, before they come here).
 *
 *   GET | POST | DELETE /_emulator/faults[/ID]   with the bearer token of STORAGE_CONTROL_TOKEN; without one, no such path
 */
const crypto = require("node:crypto");

const CODES = {
  400: "InvalidInput", 401: "NoAuthenticationInformation", 403: "AuthorizationFailure", 404: "ResourceNotFound",
  408: "OperationTimedOut", 409: "Conflict", 412: "ConditionNotMet", 429: "TooManyRequests", 500: "InternalError",
  503: "ServerBusy",
};
const HALVES = ["half", "half_reset", "half_hang"];
const REMEMBERED = 1000;

/* As azureml_box/faults/trigger.py: `*` is within a segment, `**` any number; without a leading `/` the end of a path. */
function pattern(glob) {
  const parts = glob.split(/(\*\*|\*)/).map((part) =>
    part === "**" ? ".*" : part === "*" ? "[^/]*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const start = glob.startsWith("/") || glob.startsWith("**") ? "" : "(?:.*/)?";
  return new RegExp(`^${start}${parts.join("")}$`, "i");
}

function has(query, wanted) {
  if (!wanted) return true;
  const [name, value] = wanted.split("=", 2);
  const given = new URLSearchParams(query).getAll(name);
  return value === undefined ? given.length > 0 : given.includes(value);
}

/* Mulberry32: a seed breaks the same calls again. */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

class Book {
  constructor() {
    this.rules = new Map();
    this.fired = [];
    this.number = 0;
  }

  add(sent) {
    const id = `s${++this.number}`;
    const none = { name: null, query: "", nth: null, every: null, probability: null };
    const entry = { rule: { ...none, ...sent, id, seen: 0, fired: 0 }, path: pattern(sent.path), roll: dice(sent.seed) };
    this.rules.set(id, entry);
    return entry.rule;
  }

  take(method, path, query) {
    for (const { rule, path: fits, roll } of this.rules.values()) {
      if (!["*", method].includes(rule.method) || !fits.test(path) || !has(query, rule.query)) continue;
      rule.seen += 1;
      if (!this.chosen(rule, roll) || (rule.times && rule.fired >= rule.times)) continue;
      rule.fired += 1;
      this.fired.push({ fault: rule.id, name: rule.name, kind: rule.kind, method, path, at: new Date().toISOString() });
      if (this.fired.length > REMEMBERED) this.fired.shift();
      return rule;
    }
    return null;
  }

  chosen(rule, roll) {
    if (rule.nth !== null) return rule.seen >= rule.nth;
    if (rule.every !== null) return rule.seen % rule.every === 0;
    return rule.probability === null || roll() < rule.probability;
  }

  document() {
    return { faults: [...this.rules.values()].map((entry) => entry.rule), fired: this.fired };
  }
}

function pause(rule) {
  const milliseconds = rule.retry_seconds * 1000;
  if (rule.retry_after === "seconds") return { "retry-after": String(Math.round(rule.retry_seconds)) };
  if (rule.retry_after === "date") return { "retry-after": new Date(Date.now() + milliseconds).toUTCString() };
  if (rule.retry_after === "ms") return { "retry-after-ms": String(milliseconds), "x-ms-retry-after-ms": String(milliseconds) };
  return {};
}

const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

/* Status, headers and body in place of the true answer: the storage service's envelope, a gateway's page, or garbage. */
function answer(rule) {
  if (rule.kind === "garbage") return [200, { "content-type": "application/xml" }, "\u0000\u00ff<Enumeration <not xml"];
  const code = rule.code || CODES[rule.status] || "InternalError";
  const words = escaped(rule.message || "The request was broken by a rule of the box.");
  if (rule.kind === "html") {
    return [rule.status, { "content-type": "text/html", ...pause(rule) }, `<html><body><h1>${words}</h1></body></html>`];
  }
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${escaped(code)}</Code><Message>${words}</Message></Error>`;
  return [rule.status, { "content-type": "application/xml", "x-ms-error-code": code, ...pause(rule) }, body];
}

/* Takes what Azurite answers instead of sending it; `ended` is called with the whole body. */
function hold(response, ended) {
  const [write, end, chunks] = [response.write, response.end, []];
  const keep = (chunk, encoding) => {
    if (chunk && typeof chunk !== "function") chunks.push(Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8"));
  };
  response.write = (chunk, encoding) => {
    keep(chunk, encoding);
    return true;
  };
  response.end = (chunk, encoding) => {
    keep(chunk, encoding);
    [response.write, response.end] = [write, end];
    ended(Buffer.concat(chunks));
    return response;
  };
}

function breakOff(kind, socket, raw) {
  if (kind.endsWith("hang")) return; // until the client leaves
  if (kind.endsWith("reset")) raw.resetAndDestroy();
  else socket.destroy();
}

function send(rule, request, response, raw, held) {
  if (["status", "html", "garbage"].includes(rule.kind)) {
    const [status, headers, body] = answer(rule);
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body), "x-ms-request-id": crypto.randomUUID() });
    response.end(request.method === "HEAD" ? undefined : body);
  } else if (rule.kind === "delay") {
    response.end(held);
  } else if (HALVES.includes(rule.kind) && held.length) {
    if (!response.hasHeader("content-length")) response.setHeader("content-length", held.length);
    response.removeHeader("transfer-encoding");
    response.write(held.subarray(0, Math.floor(held.length / 2)), () => setTimeout(breakOff, 50, rule.kind, request.socket, raw));
    response.flushHeaders();
  } else {
    breakOff(rule.kind, request.socket, raw);
  }
}

function control(book, token, request, response) {
  const reply = (status, value) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(value === undefined ? undefined : JSON.stringify(value));
  };
  const given = crypto.createHash("sha256").update(request.headers.authorization ?? "").digest();
  if (!crypto.timingSafeEqual(given, crypto.createHash("sha256").update(`Bearer ${token}`).digest())) {
    return reply(401, { error: { code: "AuthenticationFailed", message: "The control API wants its own bearer token." } });
  }
  const id = request.url.split("/")[3];
  if (request.method === "GET") return reply(200, book.document());
  if (request.method === "DELETE") {
    if (id && !book.rules.delete(id)) return reply(404, { error: { code: "NotFound", message: `There is no fault '${id}'.` } });
    if (!id) [book.rules, book.fired] = [new Map(), []];
    return reply(204);
  }
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => reply(201, book.add(JSON.parse(Buffer.concat(chunks).toString("utf8")))));
}

/* Stands before all listeners of an HTTPS server's requests. */
function install(server, book, token) {
  const sockets = new Map(); // the TCP socket below each TLS one, by the client's port
  server.on("connection", (raw) => {
    const port = raw.remotePort;
    sockets.set(port, raw);
    raw.once("close", () => sockets.get(port) === raw && sockets.delete(port));
  });
  const emit = server.emit;
  server.emit = function (event, request, response, ...rest) {
    const pass = () => emit.call(this, event, request, response, ...rest);
    if (event !== "request") return pass();
    const [path, query] = request.url.split("?", 2);
    if (path.startsWith("/_emulator/faults")) return control(book, token, request, response);
    const rule = book.take(request.method, path, query ?? "");
    if (rule === null) return pass();
    const raw = sockets.get(request.socket.remotePort);
    const late = (work) => setTimeout(work, rule.delay * 1000);
    if (rule.when === "after" || HALVES.includes(rule.kind)) {
      hold(response, (body) => late(() => send(rule, request, response, raw, body)));
      return pass();
    }
    if (rule.kind === "delay") return late(pass);
    request.resume(); // what is sent is read and forgotten, or the connection could not be used again
    return late(() => send(rule, request, response, raw));
  };
}

module.exports = { Book, install };
