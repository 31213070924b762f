#!/usr/bin/env node
import { MigrationMismatchError, migrateUp, migrationStatus } from '@postrider/shared/database/migrate';
import { migrationUrlOf, readMigrateConfig } from './config.ts';
import { migrationsDirectory } from './migrations-directory.ts';

const usage = `Usage: migrate up | status

  up      applies the migrations that the database lacks
  status  lists all migrations and when they were applied
`;

const [command = 'up', ...rest] = process.argv.slice(2);
if ((command !== 'up' && command !== 'status') || rest.length > 0) {
  process.stderr.write(usage);
  process.exit(64);
}
const target = { connectionString: migrationUrlOf(readMigrateConfig(process.env)), directory: migrationsDirectory };
try {
  if (command === 'up') {
    const { applied } = await migrateUp({ ...target, onApplied: (name) => process.stdout.write(`applied ${name}\n`) });
    process.stdout.write(applied.length === 0 ? 'nothing to apply\n' : `${applied.length} applied\n`);
  } else {
    for (const { name, appliedAt } of await migrationStatus(target)) {
      process.stdout.write(`${appliedAt?.toISOString() ?? 'pending                 '}  ${name}\n`);
    }
  }
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exit(1);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const cause = error.cause instanceof Error ? `\n  ${error.cause.message}` : '';
  return error instanceof MigrationMismatchError ? error.message : `${error.message}${cause}`;
}
