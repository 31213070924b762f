import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A JSON line that a process logged. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment, but for PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** In a process group of its own: Ctrl-C in a terminal then reaches only its parent, which ends it in order. */
  readonly detached?: boolean;
  /** Told every line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
}

export interface ManagedProcess {
  readonly pid: number;
  /** The JSON lines of standard output, in order; the latest ten thousand. */
  readonly logs: readonly LogLine[];
  stderr(): string;
  /** Resolves with the first line, past or future, that `matches`. Rejects when the process ends before or time is up. */
  waitForLog(matches: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, or the name of the signal that ended it. */
  waitForExit(timeoutMs?: number): Promise<number | string>;
}

const logLinesMax = 10_000;
const stderrCharactersMax = 100_000;
const defaultTimeoutMs = 60_000;
const running = new Set<ChildProcess>();

// Children do not outlive the process that started them, unless a signal ends it that nobody handles.
process.once('exit', () => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
});

/** Starts a process and follows its log. */
export function startProcess(options: ProcessOptions): ManagedProcess {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env };
  const child = spawn(options.command, [...options.args], {
    cwd: options.cwd,
    env,
    detached: options.detached ?? false,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const logs: LogLine[] = [];
  const watchers = new Set<(line: LogLine) => void>();
  let stderr = '';
  const exit = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve(code ?? signal ?? 'unknown');
    });
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    options.onLine?.(text);
    const line = parseLine(text);
    if (line) {
      logs.push(line);
      if (logs.length > logLinesMax) {
        logs.shift();
      }
      for (const watch of watchers) {
        watch(line);
      }
    }
  });
  createInterface({ input: child.stderr }).on('line', (text) => {
    options.onLine?.(text);
    stderr = (stderr + text + '\n').slice(-stderrCharactersMax);
  });

  return {
    pid: child.pid ?? 0,
    logs,
    stderr: () => stderr,
    waitForLog(matches, timeoutMs = defaultTimeoutMs) {
      const past = logs.find(matches);
      if (past) {
        return Promise.resolve(past);
      }
      const future = new Promise<LogLine>((resolve) => {
        watchers.add(function watch(line) {
          if (matches(line)) {
            watchers.delete(watch);
            resolve(line);
          }
        });
      });
      const ended = exit.then((code) => {
        throw new Error(
          `The process ended with ${code} before it logged that.\n${stderr}\n${logs
            .slice(-5)
            .map((line) => JSON.stringify(line))
            .join('\n')}`,
        );
      });
      return within(timeoutMs, Promise.race([future, ended]), 'the awaited log line');
    },
    kill: (signal) => void child.kill(signal),
    waitForExit: (timeoutMs = defaultTimeoutMs) => within(timeoutMs, exit, 'the end of the process'),
  };
}

function parseLine(text: string): LogLine | null {
  if (!text.startsWith('{')) {
    return null;
  }
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? Object.fromEntries(Object.entries(line)) : null;
  } catch {
    return null;
  }
}

async function within<T>(timeoutMs: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${timeoutMs} ms for ${what}.`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
