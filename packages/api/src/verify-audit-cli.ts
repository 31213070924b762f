#!/usr/bin/env node
import { openPool } from '@postrider/shared/database/pool';
import { normalizeUuid } from '@postrider/shared/domain/ids';
import { createLogger } from '@postrider/shared/observability/logger';
import { readVerifyConfig } from './config.ts';
import { type AuditPin, type AuditVerdict, verifyAuditChain, verifyAuditLog } from './services/verify-audit-log.ts';
import { version } from './version.ts';

const usage = `Usage: verify-audit [organization_id [sequence:hash]]

  Verifies the chains of the audit log: all of them, or that of one organization. With a sequence and hash that were kept elsewhere it
  also finds a chain whose end was cut off or that was written anew. Exits with 1 when an entry is not what it should be, or when there is
  none at all.
`;

/** An emptied log looks like one that was never written. */
const noEntries = 'no entries: none was written, or all are gone or hidden from this role';

const { organizationId, pin } = readArguments(process.argv.slice(2));
const db = openPool(
  {
    connectionString: readVerifyConfig(process.env).databaseUrl,
    applicationName: 'postrider verify-audit',
    connectionsMax: 1,
    idleTimeoutMs: 10_000,
    connectionTimeoutMs: 10_000,
    statementTimeoutMs: 600_000,
    preparedStatements: false,
  },
  createLogger({ level: 'warn', process: 'verify-audit', version }),
);
try {
  let chains = 0;
  for await (const verdict of organizationId === null ? verifyAuditLog(db) : [await verifyAuditChain(db, organizationId, pin)]) {
    print(verdict);
    chains += 1;
  }
  if (chains === 0) {
    fail(`EMPTY   ${noEntries}`);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await db.end();
}

function readArguments([first, second, ...rest]: string[]): { readonly organizationId: string | null; readonly pin: AuditPin | null } {
  const id = first === undefined ? null : normalizeUuid(first);
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(second ?? '') ?? [];
  const isPinRead = second === undefined || hash !== undefined;
  if (rest.length > 0 || (first !== undefined && id === null) || !isPinRead) {
    process.stderr.write(usage);
    process.exit(64);
  }
  return { organizationId: id, pin: hash === undefined ? null : { sequence: Number(sequence), hash } };
}

function print(verdict: AuditVerdict): void {
  const { organizationId: id } = verdict;
  switch (verdict.kind) {
    case 'intact':
      if (verdict.head.sequence === 0) {
        fail(`EMPTY   ${id}  ${noEntries}`);
      } else {
        process.stdout.write(`intact  ${id}  ${verdict.head.sequence}:${verdict.head.hash}\n`);
      }
      return;
    case 'broken':
      fail(`BROKEN  ${id}  entry ${verdict.sequence} ${verdict.reason}: ${verdict.detail}`);
  }
}

function fail(line: string): void {
  process.stdout.write(`${line}\n`);
  process.exitCode = 1;
}
