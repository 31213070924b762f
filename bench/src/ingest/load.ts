import { Agent, type Dispatcher } from 'undici';

/**
 * Sends the same event again and again from a process of its own. Arguments: URL, token, body, connections, seconds of warm-up, seconds that
 * are measured, and requests per second, 0 for as many as come back. At a fixed rate an answer is late by the time that its request should
 * have been sent, so that a server that stands still is not excused.
 */
const [url = '', token = '', body = '', ...numbers] = process.argv.slice(2);
const [connections = 1, warmUpSeconds = 0, seconds = 1, perSecond = 0] = numbers.map(Number);
const tickMs = 1;

const agent = new Agent({ allowH2: false, connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
const request = {
  origin: new URL(url).origin,
  path: '/api/v1/event',
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body,
} as const;
const startedAt = performance.now();
const measuredFrom = startedAt + warmUpSeconds * 1000;
const endAt = measuredFrom + seconds * 1000;
const latenciesMs: number[] = [];
let failed = 0;
let underWay = 0;
let cpuBefore = process.cpuUsage();

function send(dueAt: number, next: () => void): void {
  let status = 0;
  underWay += 1;
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart(_controller, statusCode) {
      status = statusCode;
    },
    onResponseData() {},
    onResponseEnd() {
      const now = performance.now();
      underWay -= 1;
      if (now >= measuredFrom && now < endAt) {
        if (status === 201) {
          latenciesMs.push(now - dueAt);
        } else {
          failed += 1;
        }
      }
      next();
    },
    onResponseError(_controller, error) {
      throw error;
    },
  };
  agent.dispatch(request, handler);
}

function sendWhatComesBack(): void {
  if (performance.now() < endAt) {
    send(performance.now(), sendWhatComesBack);
  }
}

function sendWhatIsDue(): void {
  let sent = 0;
  const timer = setInterval(() => {
    const now = Math.min(performance.now(), endAt);
    for (; sent < ((now - startedAt) / 1000) * perSecond; sent += 1) {
      send(startedAt + (sent / perSecond) * 1000, () => {});
    }
    if (now >= endAt) {
      clearInterval(timer);
    }
  }, tickMs);
}

function report(): void {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
  const cpu = process.cpuUsage(cpuBefore);
  const result = {
    event: 'load.finished',
    count: sorted.length,
    perSecond: sorted.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    failed,
    unanswered: underWay,
    loadCpu: (cpu.user + cpu.system) / sorted.length / 1000,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}

if (perSecond > 0) {
  sendWhatIsDue();
} else {
  for (let index = 0; index < connections; index += 1) {
    sendWhatComesBack();
  }
}
setTimeout(() => {
  cpuBefore = process.cpuUsage();
  process.stdout.write('{"event":"load.measuring"}\n');
}, measuredFrom - performance.now());
setTimeout(report, endAt - performance.now());
