import { z } from 'zod';
import type { Api } from './http/api.ts';
import type { Output } from './output/output.ts';

/** How an argument or an option stands on the command line. */
export interface FieldFacts {
  /** `<name>` and `[name]` are arguments, in their order; `--name <value>` and `--name` are options. */
  readonly flags: string;
  readonly summary: string;
  /** May be given several times. */
  readonly isRepeated?: boolean;
}

const facts = z.registry<FieldFacts>();

/** Declares where a value of this schema stands on the command line. */
export function field<S extends z.ZodType>(schema: S, flags: string, summary: string, more: Pick<FieldFacts, 'isRepeated'> = {}): S {
  // A copy: the same schema stands behind several fields, and facts belong to one.
  const own = schema.clone();
  facts.add(own, { flags, summary, ...more });
  return own;
}

export function factsOf(schema: z.ZodType): FieldFacts {
  const found = facts.get(schema);
  if (!found) {
    throw new Error('A field of a command has no flags: make it with field().');
  }
  return found;
}

/** What commands work with. */
export interface CommandContext {
  /** The API; fails with a usage error where nothing says which or with what token. */
  api(): Api;
  readonly output: Output;
  /** What the command line gives, else what the environment does; fails where neither does. */
  applicationId(given: string | undefined): string;
  organizationId(given: string | undefined): string;
  /** The bytes of a file; those of standard input for `-`. */
  readInput(path: string): Promise<Buffer>;
  readonly isInputTerminal: boolean;
  /** Runs a program of the API package with our terminal; resolves with its exit code. */
  runProgram(name: string, args: readonly string[]): Promise<number>;
  /** Ctrl-C. */
  readonly stopped: AbortSignal;
}

interface CommandFacts {
  readonly name: string;
  readonly summary: string;
  /** Whole command lines without `postrider`, shown by --help. */
  readonly examples?: readonly string[];
  /** Options that it does not know are arguments: another program reads them. */
  readonly passesOptions?: boolean;
}

/** One command, as the program offers it. */
export interface Command extends CommandFacts {
  readonly fields: Readonly<Record<string, z.ZodType>>;
  /** Resolves with the exit code where it is not that of success. A method: what it may be called with depends on the fields. */
  run(context: CommandContext, input: unknown): Promise<number | void>;
}

/** Commands on one resource. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

/** Makes a command, which gets exactly what its fields read. */
export function defineCommand<F extends Readonly<Record<string, z.ZodType>>>(
  command: CommandFacts & {
    readonly fields: F;
    readonly run: (context: CommandContext, input: z.output<z.ZodObject<F>>) => Promise<number | void>;
  },
): Command {
  return command;
}
