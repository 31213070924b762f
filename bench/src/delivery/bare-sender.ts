import { coverHeaders, signHook0, signStandard } from '@postrider/shared/domain/signature';
import { Agent, type Dispatcher } from 'undici';

/** Bare undici: the same signed requests as the worker's, without a queue. Arguments: URL, concurrency, requests, and how many come before them. */
const [url = '', concurrentText, requestsText, warmUpText] = process.argv.slice(2);
const concurrent = Number(concurrentText);
const requests = Number(requestsText);
const warmUp = Number(warmUpText);
const total = warmUp + requests;
const payload = Buffer.from(`{"data":"${'x'.repeat(1013)}"}`);
const secret = 'f1a7c2d4-9f3b-4d59-8a7e-2b1c0d3e4f55';
const id = '01a1fcb8-5f59-756c-bf31-2e521cc2a18b';
const { origin } = new URL(url);
const agent = new Agent({ allowH2: false, connections: concurrent, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

let started = 0;
let finished = 0;
let failed = 0;

const handler: Dispatcher.DispatchHandler = {
  onRequestStart() {},
  onResponseStart(_controller, status) {
    failed += status === 200 ? 0 : 1;
  },
  onResponseData() {},
  onResponseEnd() {
    finished += 1;
    if (finished === warmUp) {
      startedAt = performance.now();
      cpuBefore = process.cpuUsage();
    }
    if (finished === total) {
      report();
    } else if (started < total) {
      send();
    }
  },
  onResponseError(_controller, error) {
    throw error;
  },
};

function send(): void {
  started += 1;
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const signed: [string, string][] = [
    ['content-type', 'application/json'],
    ['x-event-id', id],
    ['x-event-type', 'order.item.created'],
    ['x-attempt-id', id],
    ['x-retry-count', '0'],
  ];
  const headers = signed.flat();
  headers.push('user-agent', 'Postrider/0.1.0');
  headers.push(
    'X-Hook0-Signature',
    signHook0({ secret, timestampSeconds, headers: coverHeaders(signed), body: payload, versions: { v0: false, v1: true } }),
  );
  headers.push('webhook-id', id, 'webhook-timestamp', String(timestampSeconds));
  headers.push('webhook-signature', signStandard({ secrets: [secret], id, timestampSeconds, body: payload }));
  agent.dispatch({ origin, path: '/', method: 'POST', headers, body: payload }, handler);
}

let startedAt = performance.now();
let cpuBefore = process.cpuUsage();
for (let index = 0; index < concurrent; index += 1) {
  send();
}

function report(): void {
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  process.stdout.write(
    `${JSON.stringify({ event: 'bare.finished', perSecond: requests / seconds, cpuPerThousand: (cpu.user + cpu.system) / requests / 1000, failed })}\n`,
  );
  process.exit(0);
}
