import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import type { CommandContext } from './command.ts';
import { type Connection, demoFile, resolveConnection } from './connection.ts';
import { describeFailure, exitCodeOf, exitCodes, UsageError } from './failures.ts';
import { Api } from './http/api.ts';
import { Output, type Screen } from './output/output.ts';
import { createProgram, type SharedInput } from './program.ts';
import { runProgram } from './run-program.ts';

/** What surrounds a command line. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly stdin: AsyncIterable<Buffer> & { readonly isTTY?: boolean };
  readonly stdout: Screen;
  readonly stderr: Screen;
  /** Ctrl-C. */
  readonly stopped: AbortSignal;
}

/** More than any API takes as one event. */
const inputBytesMax = 64 * 1024 * 1024;
/** As shells count a process that Ctrl-C ended. */
const exitInterrupted = 130;

/** Runs a command line; resolves with its exit code. */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  let exitCode: number = exitCodes.ok;
  let output = outputOf(surroundings, { json: false, showSecrets: false });
  const program = createProgram({
    writeOut: (text) => surroundings.stdout.write(text),
    writeErr: (text) => surroundings.stderr.write(text),
    contextOf(shared) {
      output = outputOf(surroundings, shared);
      return contextOf(surroundings, shared, output);
    },
    onDone(code) {
      exitCode = code;
    },
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has said what is wrong already.
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    if (surroundings.stopped.aborted) {
      return exitInterrupted;
    }
    output.failure(describeFailure(error));
    return exitCodeOf(error);
  }
}

function outputOf({ stdout, stderr, env }: Surroundings, shared: Pick<SharedInput, 'json' | 'showSecrets'>): Output {
  return new Output({
    stdout,
    stderr,
    isJson: shared.json,
    isColoured: !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    showSecrets: shared.showSecrets,
  });
}

function contextOf(surroundings: Surroundings, shared: SharedInput, output: Output): CommandContext {
  const { env, directory, stdin, stopped } = surroundings;
  let resolved: Connection | null = null;
  const connection = (): Connection => {
    resolved ??= resolveConnection({ apiUrl: shared.apiUrl, env, readDemo: () => readDemo(directory) });
    return resolved;
  };
  return {
    output,
    stopped,
    isInputTerminal: stdin.isTTY ?? false,
    api() {
      const { baseUrl, token } = connection();
      return new Api({ baseUrl, token, timeoutMs: shared.timeout * 1000, stopped });
    },
    applicationId: (given) => given ?? connection().applicationId ?? demand('application'),
    organizationId: (given) => given ?? connection().organizationId ?? demand('organization'),
    readInput: (path) => (path === '-' ? readAll(stdin) : readNamed(path)),
    runProgram: (name, args) => runProgram({ node: process.execPath, path: apiProgram(name), args }),
  };
}

function demand(what: 'application' | 'organization'): never {
  throw new UsageError(`Which ${what}? Give --${what} or set POSTRIDER_${what.toUpperCase()}; \`postrider ${what}s list\` has them.`);
}

function readDemo(directory: string): string | null {
  const path = join(directory, demoFile);
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

async function readNamed(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function readAll(stdin: Surroundings['stdin']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > inputBytesMax) {
      throw new UsageError(`Standard input has more than ${inputBytesMax} bytes.`);
    }
  }
  return Buffer.concat(chunks);
}

/** Where the built programs of the API package are, from our sources and our built files alike. */
function apiProgram(name: string): string {
  return fileURLToPath(new URL(`../../api/dist/${name}.js`, import.meta.url));
}
