import type { ApiAnswer } from '@postrider/testkit/api-client';
import { DocumentedAnswers } from '@postrider/testkit/documented-answers';
import { at } from '@postrider/testkit/json-members';
import { type ApiProcess, startApi } from '@postrider/testkit/postrider-processes';
import * as fc from 'fast-check';
import { operationsOf } from './operations.ts';
import { build, type BuiltRequest, type FuzzRequest, requestsFor } from './requests.ts';
import { SchemaValues } from './schema-values.ts';
import { setStage, type Stage } from './stage.ts';
import { bytesOf, exchange } from './wire.ts';

export interface FuzzOptions {
  readonly databaseUrl: string;
  readonly requests: number;
  /** The same seed makes the same requests. */
  readonly seed: number;
}

export interface FuzzResult {
  /** Answers by the hundreds of their status, and `none` for connections that ended without one. */
  readonly answers: Readonly<Record<string, number>>;
  readonly operations: number;
  /** Operations that no request succeeded at. */
  readonly neverSucceeded: readonly string[];
  readonly residentBytes: number;
}

/** Far more than the API needs, and far less than if every request left something behind. */
const residentBytesMax = 400 * 1024 * 1024;

/**
 * Sends requests that are made from the API's own OpenAPI document, valid ones and broken ones. Whatever they are, the answer is one that the document
 * has, never a failure of ours, and the process goes on as before. Fails with the smallest request that it found otherwise.
 */
export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const complaints: string[] = [];
  const api = await startApi({
    databaseUrl: options.databaseUrl,
    env: { AUTO_DB_MIGRATION: 'false', HEALTH_CHECK_KEY: 'health' },
    onLine: (line) => {
      if (!/^\{"level":"(?:debug|info|warn)"/.test(line)) {
        complaints.push(line);
      }
    },
  });
  try {
    const result = await sendAll(api, options);
    await expectHealthy(api);
    api.kill('SIGTERM');
    const exitCode = await api.waitForExit();
    if (exitCode !== 0 || complaints.length > 0) {
      throw new Error(`The API ended with ${exitCode} and complained of:\n${complaints.slice(0, 10).join('\n')}`);
    }
    return result;
  } catch (error) {
    throw new Error(`Not with the seed ${options.seed}. The API complained of:\n${complaints.slice(0, 10).join('\n')}`, { cause: error });
  } finally {
    api.kill('SIGKILL');
    await api.waitForExit();
  }
}

async function sendAll(api: ApiProcess, options: FuzzOptions): Promise<FuzzResult> {
  const document: unknown = await (await fetch(`${api.url}/api/v1/swagger.json`)).json();
  const documented = new DocumentedAnswers(document);
  const stage = await setStage(api.url, options.databaseUrl);
  const answers: Record<string, number> = {};
  const neverSucceeded = new Set(documented.operations());

  const requests = requestsFor(operationsOf(document), new SchemaValues(document));
  const holds = fc.asyncProperty(requests, async (request) => {
    const { built, answer } = await send(api, stage, request);
    const kind = answer === null ? 'none' : `${Math.floor(answer.status / 100)}xx`;
    answers[kind] = (answers[kind] ?? 0) + 1;
    expectDocumented(documented, built, answer);
    if (answer !== null && answer.status < 300) {
      neverSucceeded.delete(documented.operationOf(built.method, built.target) ?? '');
    }
  });
  await fc.assert(holds, { numRuns: options.requests, seed: options.seed });
  const residentBytes = await residentBytesOf(api);
  if (residentBytes > residentBytesMax) {
    throw new Error(`The API has ${residentBytes} bytes in memory, more than ${residentBytesMax}.`);
  }
  return { answers, operations: documented.operations().length, neverSucceeded: [...neverSucceeded], residentBytes };
}

async function send(
  api: ApiProcess,
  { tokens, known }: Stage,
  request: FuzzRequest,
): Promise<{ readonly built: BuiltRequest; readonly answer: ApiAnswer | null }> {
  const built = build(request, { host: new URL(api.url).host, tokens, known });
  const answer = await exchange(api.url, { bytes: bytesOf(built.wire), isEnded: built.isEnded });
  if (answer !== null) {
    known.learn(answer);
  }
  return { built, answer };
}

function expectDocumented(documented: DocumentedAnswers, built: BuiltRequest, answer: ApiAnswer | null): void {
  const { method, target, isBroken } = built;
  if (answer === null) {
    if (!built.isEnded) {
      throw new Error(`${describe(built)} was not answered.`);
    }
    return;
  }
  if (answer.status >= 500 || failsInPart(answer)) {
    throw new Error(`${describe(built)} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  if (isBroken && answer.status >= 400) {
    // Bytes that cannot be read are answered as a request of any method but HEAD.
    documented.checkProblem(answer.body === undefined ? method : 'GET', target, answer);
  } else if (answer.status === 422 && !isEncoded(target)) {
    // A path that encodes nothing is refused before it is known what it leads to.
    documented.checkProblem(method, target, answer);
  } else {
    documented.check(method, target, answer);
  }
}

/** Batches say of each event what is wrong with it, so that a failure of ours may stand in an answer that is none. */
function failsInPart({ status, body }: ApiAnswer): boolean {
  const parts: readonly unknown[] = status === 200 && Array.isArray(body) ? body : [];
  return parts.some((part) => Number(at(part, 'problem', 'status')) >= 500);
}

function isEncoded(target: string): boolean {
  try {
    decodeURIComponent(target.replace(/\?.*/s, ''));
    return true;
  } catch {
    return false;
  }
}

/** As somebody needs it who wants to send it again. */
function describe({ wire }: BuiltRequest): string {
  return JSON.stringify(bytesOf(wire).toString('latin1').slice(0, 2000));
}

async function expectHealthy(api: ApiProcess): Promise<void> {
  const [ready, health] = await Promise.all([fetch(`${api.opsUrl}/health/ready`), fetch(`${api.url}/api/v1/health?key=health`)]);
  if (!ready.ok || !health.ok) {
    throw new Error(`Afterwards the API says of itself: ${ready.status} ${await ready.text()}, ${health.status} ${await health.text()}`);
  }
}

async function residentBytesOf(api: ApiProcess): Promise<number> {
  const metrics = await (await fetch(`${api.opsUrl}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
}
