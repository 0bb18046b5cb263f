"use strict";
/*
 * Starts Azurite's blob and queue servers and tells the box's Event Grid of every committed blob.
 *
 *   node azurite.cjs --home HOME --blob-port N --queue-port N --cert F --key F [--save-ms 300] [--doorbell-port N]
 *
 * Each committed write appends one line of JSON to HOME/storage/outbox.ndjson before its client has the answer: a crash
 * between the two gives a duplicate, never a lost event. A file and not a pipe, since a closed pipe would kill Azurite.
 * With STORAGE_CONTROL_TOKEN in the environment, calls can be broken by rule (faults.cjs).
 * The classes are Azurite's internals: package.json pins the version, tests/stack/test_box_services.py tests the hook.
 */
const dgram = require("node:dgram");
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

const faults = require("./faults.cjs");

const internals = (name) => require(`azurite/dist/src/${name}`).default;

const { values: options } = parseArgs({
  options: {
    home: { type: "string" },
    "blob-port": { type: "string" },
    "queue-port": { type: "string" },
    cert: { type: "string" },
    key: { type: "string" },
    "save-ms": { type: "string", default: "300" },
    "doorbell-port": { type: "string" },
  },
});
for (const name of ["home", "blob-port", "queue-port", "cert", "key"]) {
  if (!options[name]) {
    console.error(`azurite.cjs: --${name} is missing`);
    process.exit(2);
  }
}
const folder = path.join(options.home, "storage");
fs.mkdirSync(folder, { recursive: true });

const configuration = (service, port, Configuration) =>
  new Configuration(
    "127.0.0.1",
    port,
    undefined, // keep-alive: the server's own
    path.join(folder, `${service}.json`),
    path.join(folder, `${service}_extents.json`),
    [{ locationId: "Default", locationPath: path.join(folder, service), maxConcurrency: 50 }],
    false, // no access log: its lines hold SAS signatures
    undefined,
    false,
    undefined,
    false, // strict
    true, // newer API versions of the SDKs are taken
    options.cert,
    options.key,
    undefined,
    "basic", // tokens are checked for issuer, audience and time
  );

/* Sequencers grow across restarts, also when the clock has been set back in between. */
class Outbox {
  constructor(file, doorbellPort) {
    this.last = Outbox.lastSequencer(file);
    this.descriptor = fs.openSync(file, "a", 0o600);
    this.port = doorbellPort;
    this.doorbell = dgram.createSocket("udp4");
    this.doorbell.unref();
    this.doorbell.on("error", () => {}); // the reader looks every second as well
  }

  static lastSequencer(file) {
    if (!fs.existsSync(file)) return 0n;
    const size = fs.statSync(file).size;
    const descriptor = fs.openSync(file, "r");
    const tail = Buffer.alloc(Math.min(size, 65536));
    fs.readSync(descriptor, tail, 0, tail.length, size - tail.length);
    fs.closeSync(descriptor);
    const found = [...tail.toString("utf8").matchAll(/"sequencer":"(\d+)"/g)].map((match) => BigInt(match[1]));
    return found.reduce((most, one) => (one > most ? one : most), 0n);
  }

  write(event) {
    const now = BigInt(Date.now()) * 1000n;
    this.last = now > this.last ? now : this.last + 1n;
    const sequencer = this.last.toString().padStart(48, "0");
    fs.writeSync(this.descriptor, JSON.stringify({ ...event, sequencer, time: new Date().toISOString() }) + "\n");
    if (this.port) this.doorbell.send("!", this.port, "127.0.0.1");
  }
}

/* The write that a request commits, or null: tags, metadata, blocks, leases and refused writes raise no event. */
function committed(request, response) {
  if (request.method !== "PUT" || (response.statusCode !== 201 && response.statusCode !== 202)) return null;
  const url = new URL(request.url, "https://127.0.0.1");
  const comp = url.searchParams.get("comp");
  if (url.searchParams.has("restype") || (comp !== null && comp !== "blocklist")) return null;
  const [, , container, ...rest] = url.pathname.split("/");
  if (!container || rest.length === 0 || rest.join("/") === "") return null;
  const headers = request.headers;
  const copy = headers["x-ms-copy-source"] !== undefined;
  const api = copy ? "CopyBlob" : comp === "blocklist" ? "PutBlockList" : "PutBlob";
  const event = {
    api,
    container: decodeURIComponent(container),
    blob: decodeURIComponent(rest.join("/")),
    eTag: response.getHeader("etag"),
    requestId: response.getHeader("x-ms-request-id"),
    clientRequestId: headers["x-ms-client-request-id"],
  };
  if (api === "PutBlob") {
    event.blobType = headers["x-ms-blob-type"];
    event.contentLength = Number(headers["x-ms-blob-content-length"] ?? headers["content-length"]);
    event.contentType = headers["x-ms-blob-content-type"] ?? headers["content-type"] ?? "application/octet-stream";
  } else if (api === "PutBlockList") {
    event.contentType = headers["x-ms-blob-content-type"] ?? "application/octet-stream";
  }
  return event;
}

function hook(server, outbox) {
  server.httpServer.prependListener("request", (request, response) => {
    const end = response.end;
    response.end = function (...rest) {
      response.end = end;
      try {
        const event = committed(request, response);
        if (event) outbox.write(event);
      } catch (error) {
        console.error(`azurite.cjs: an event could not be written to the outbox: ${error.message}`);
      }
      return end.apply(response, rest);
    };
  });
}

/* Azurite saves its metadata every 5 s only; what was acknowledged since is lost by a kill -9 (BOX_FACTS 1). */
function saveOften(server, milliseconds) {
  for (const store of [server.metadataStore, server.extentMetadataStore]) {
    store.db.autosaveDisable();
    store.db.autosaveInterval = milliseconds;
    store.db.autosaveEnable();
  }
}

/* Closing waits for no save that has begun: what was acknowledged just before it would be lost. */
function saved(server) {
  return [server.metadataStore, server.extentMetadataStore].map(
    (store) => new Promise((resolve) => store.db.throttledSaveDrain(resolve)),
  );
}

async function main() {
  const blob = new (internals("blob/BlobServer"))(
    configuration("blob", Number(options["blob-port"]), internals("blob/BlobConfiguration")),
  );
  const queue = new (internals("queue/QueueServer"))(
    configuration("queue", Number(options["queue-port"]), internals("queue/QueueConfiguration")),
  );
  const end = async () => {
    await Promise.allSettled([blob.close(), queue.close()]);
    await Promise.all([blob, queue].flatMap(saved));
    process.exit(0);
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  hook(blob, new Outbox(path.join(folder, "outbox.ndjson"), Number(options["doorbell-port"] ?? 0)));
  await Promise.all([blob.start(), queue.start()]);
  if (process.env.STORAGE_CONTROL_TOKEN) {
    const book = new faults.Book();
    for (const server of [blob, queue]) faults.install(server.httpServer, book, process.env.STORAGE_CONTROL_TOKEN);
  }
  for (const server of [blob, queue]) saveOften(server, Number(options["save-ms"]));
  console.log(`blob at ${blob.getHttpServerAddress()}, queue at ${queue.getHttpServerAddress()}`);
}

main().catch((error) => {
  console.error(`azurite.cjs: ${error.message}`);
  process.exit(1);
});
