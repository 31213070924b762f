import { Argument, Command as Program, Option } from 'commander';
import { z } from 'zod';
import { type Command, type CommandContext, type CommandGroup, factsOf } from './command.ts';
import { applications } from './commands/applications.ts';
import { attempts } from './commands/attempts.ts';
import { audit, rotateKey } from './commands/audit.ts';
import { eventTypes } from './commands/event-types.ts';
import { events } from './commands/events.ts';
import { organizations } from './commands/organizations.ts';
import { responses } from './commands/responses.ts';
import { secrets } from './commands/secrets.ts';
import { serviceTokens } from './commands/service-tokens.ts';
import { subscriptions } from './commands/subscriptions.ts';
import { demoFile } from './connection.ts';
import { exitCodes, UsageError } from './failures.ts';
import { countOption, flag, textOption } from './fields.ts';
import { version } from './version.ts';

const groups: readonly CommandGroup[] = [
  organizations,
  applications,
  secrets,
  eventTypes,
  subscriptions,
  events,
  attempts,
  responses,
  serviceTokens,
  audit,
];

const sharedFields = {
  apiUrl: textOption('--api-url <url>', 'where the API is (POSTRIDER_API_URL otherwise)'),
  json: flag('--json', 'print JSON: one document, or one a line for tail'),
  showSecrets: flag('--show-secrets', 'show tokens, secrets and headers sent to receivers, which are hidden otherwise'),
  timeout: countOption('--timeout <seconds>', 'for one request', 30),
};

/** What every command takes. */
export type SharedInput = z.output<z.ZodObject<typeof sharedFields>>;

const helpAfter = `
Where and who:
  POSTRIDER_API_URL       the API, such as https://webhooks.example.com (or --api-url); http://127.0.0.1:8081 where there is only a token
  POSTRIDER_TOKEN         an application secret or a service token; MASTER_API_KEY is taken where it is unset
  POSTRIDER_APPLICATION   the application, where --application is not given
  POSTRIDER_ORGANIZATION  the organization, where --organization is not given
  When neither a URL nor a token is given, ${demoFile} of \`npm start\` in the current folder is read, with the key that is in it.

Exit codes:
  ${exitCodes.ok}  done
  ${exitCodes.refused}  the API refused it
  ${exitCodes.usage}  the command line cannot be used; nothing was changed
  ${exitCodes.unreachable}  the API cannot be reached, or did not answer in time
  130  Ctrl-C; 0 for attempts tail
`;

export interface ProgramOptions {
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  readonly contextOf: (shared: SharedInput) => CommandContext;
  /** Told the exit code of a command that ended. */
  readonly onDone: (exitCode: number) => void;
}

/** The whole command line, as commander reads it. */
export function createProgram(options: ProgramOptions): Program {
  const program = new Program('postrider')
    .description('Webhook delivery on PostgreSQL: looks at and changes what a Postrider API has.')
    .version(version)
    .addHelpText('after', helpAfter);
  configure(program, options);
  addFields(program, sharedFields);
  for (const group of groups) {
    const parent = configure(program.command(group.name), options).description(group.summary);
    for (const command of group.commands) {
      addCommand(parent, command, { ...options, readShared: () => read(sharedFields, program.opts<Record<string, unknown>>()) });
    }
  }
  addCommand(program, rotateKey, { ...options, readShared: () => read(sharedFields, program.opts<Record<string, unknown>>()) });
  return program;
}

/** For each command alike: commander hands these down only to those that it makes itself afterwards. */
function configure(program: Program, { writeOut, writeErr }: ProgramOptions): Program {
  return program
    .configureOutput({ writeOut, writeErr, outputError: (text, write) => write(text.replace(/^error: /, 'postrider: ')) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help lists what there is)')
    .exitOverride();
}

function addCommand(parent: Program, command: Command, options: ProgramOptions & { readonly readShared: () => SharedInput }): void {
  const { fields } = command;
  const program = configure(parent.command(command.name), options).description(command.summary);
  const names = addFields(program, fields);
  program.allowUnknownOption(command.passesOptions ?? false);
  if (command.examples) {
    program.addHelpText('after', `\nExamples:\n${command.examples.map((example) => `  postrider ${example}\n`).join('')}`);
  }
  program.action(async () => {
    const context = options.contextOf(options.readShared());
    const given = Object.fromEntries(names.map((name, index) => [name, program.processedArgs[index]]));
    const exitCode = await command.run(context, read(fields, { ...program.opts<Record<string, unknown>>(), ...given }));
    options.onDone(typeof exitCode === 'number' ? exitCode : exitCodes.ok);
  });
}

/** Declares the fields of a command; returns the names of its arguments, in their order. */
function addFields(program: Program, fields: Readonly<Record<string, z.ZodType>>): string[] {
  const names: string[] = [];
  for (const [name, schema] of Object.entries(fields)) {
    const { flags, summary, isRepeated } = factsOf(schema);
    if (!flags.startsWith('-')) {
      names.push(name);
      program.addArgument(new Argument(flags, summary));
      continue;
    }
    const option = new Option(flags, summary).makeOptionMandatory(!schema.safeParse(undefined).success);
    if (isRepeated) {
      option.argParser<readonly string[] | undefined>((value, before) => [...(before ?? []), value]);
    }
    if (option.attributeName() !== name) {
      throw new Error(`The field ${name} has the flags ${flags}, which commander calls ${option.attributeName()}.`);
    }
    program.addOption(option);
  }
  return names;
}

function read<F extends Readonly<Record<string, z.ZodType>>>(
  fields: F,
  given: Readonly<Record<string, unknown>>,
): z.output<z.ZodObject<F>> {
  const parsed = z.object(fields).safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: [name], message }) => `${flagOf(fields[String(name)])}: ${message}`);
    throw new UsageError([...new Set(problems)].join('\n'));
  }
  return parsed.data;
}

function flagOf(schema: z.ZodType | undefined): string {
  return schema === undefined ? 'command line' : (factsOf(schema).flags.split(' ')[0] ?? '');
}
