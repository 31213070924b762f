import { describeProblems, flagName, type SettingProblem } from '@postrider/shared/config/settings';
import { Command, Option } from 'commander';
import { loadWorkerConfig, type WorkerConfig, workerSettings } from './config.ts';
import { version } from './version.ts';

/** Exit code for settings that cannot be used (EX_CONFIG of sysexits.h). */
const exitBadSettings = 78;

/** Reads flags and environment. Ends the process with 78 and every problem when something cannot be used. */
export function readCommandLine(argv: readonly string[], env: NodeJS.ProcessEnv): WorkerConfig {
  const program = new Command('worker')
    .description('Delivers webhooks: claims request attempts, sends them, records what came of them.')
    .version(version)
    .showHelpAfterError('(worker --help lists the flags)')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitBadSettings));
  for (const setting of Object.values(workerSettings)) {
    const option = new Option(`--${flagName(setting.name)} <value>`, setting.description);
    program.addOption(setting.defaultText === null ? option : option.default(undefined, setting.defaultText));
  }
  program.parse(argv);
  const loaded = loadWorkerConfig({ env, flags: flagsOf(program.opts<Record<string, string | undefined>>()) });
  return loaded.ok ? loaded.config : refuse(loaded.problems);
}

/** Commander names options in camel case. */
function flagsOf(options: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value]),
  );
}

function refuse(problems: readonly SettingProblem[]): never {
  process.stderr.write(
    `The worker cannot start with these settings:\n${describeProblems(problems)
      .map((line) => `  ${line}\n`)
      .join('')}`,
  );
  process.exit(exitBadSettings);
}
