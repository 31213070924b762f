#!/usr/bin/env node
import { runCommandLine } from './cli.ts';
import type { Screen } from './output/output.ts';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) {
      process.exit(130);
    }
    stopping.abort();
  });
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  directory: process.cwd(),
  stdin: process.stdin,
  stdout: screenOf(process.stdout),
  stderr: screenOf(process.stderr),
  stopped: stopping.signal,
});

function screenOf(stream: NodeJS.WriteStream): Screen {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `| head` has read enough: that is no failure.
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY ?? false,
    get columns() {
      return stream.columns || null;
    },
  };
}
